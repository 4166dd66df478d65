import type { LonLat } from '#geo';

/** Where the invented child of this night was last seen: Lianhuashan Park, Shenzhen. */
export const LAST_SEEN: LonLat = [114.0575, 22.5532];

const HOUR_MS = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS).toISOString();

/** A report as a liaison officer types it; nobody in it exists. `photoId` makes the photo public. */
export function report(photoId: string | null) {
  const [lon, lat] = LAST_SEEN;
  return {
    case: {
      type: 'lost',
      name: '测试·小满',
      ageYears: 6,
      sex: 'female',
      looks: '约 1.15 米，短发',
      clothes: '黄色雨衣，红色小书包',
      needs: '听力较弱，左耳戴助听器',
      circumstances: '与家人在公园走散。',
      lastSeen: { from: ago(1.5), until: ago(1), place: '莲花山公园南门', point: { lon, lat, datum: 'wgs84' } },
      consent: { given: 'guardian' },
      custodyOrderChecked: true,
      publicity: 'safe',
    },
    alert: {
      tier: 'critical',
      place: { 'zh-CN': '深圳市莲花山公园', en: 'Lianhuashan Park, Shenzhen' },
      photoId,
      texts: {
        'zh-CN': {
          title: '寻找 6 岁女孩小满',
          body: '今晚在深圳莲花山公园南门走失。身高约 1.15 米，短发，黄色雨衣，红色小书包，左耳戴助听器。',
        },
        en: {
          title: 'Missing: Xiaoman, girl, 6',
          body: 'Lost this evening near the south gate of Lianhuashan Park, Shenzhen. About 1.15 m, short hair, yellow raincoat, small red school bag, hearing aid in her left ear.',
        },
      },
    },
  };
}
