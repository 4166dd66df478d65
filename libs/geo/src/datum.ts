import gcoord from 'gcoord';
import type { LonLat } from './point.ts';

/**
 * The system a coordinate was taken in. `gcj02` is the shifted system of Chinese map providers, `bd09` Baidu's shift on
 * top of it. The giver names the datum; it is never guessed.
 */
export type Datum = 'wgs84' | 'gcj02' | 'bd09';

// gcoord's CommonJS export is the object that its typings call `default`.
const { transform, CRSTypes } = gcoord as unknown as typeof gcoord.default;

/** gcoord shifts inside this box only: west, south, east, north in degrees (gcoord 1.0.7, `crs/GCJ02.ts`). */
const GCJ02_BOX = [72.004, 0.8293, 137.8347, 55.8271] as const;

/**
 * Degrees inside the box's rim where GCJ-02 is read as WGS-84. gcoord inverts the shift by iteration, which steps out
 * of the box and back for ever when it starts within one shift (≤ 0.011°) of the rim. The rim lies in the open sea and
 * in other countries, where no map provider shifts.
 */
const GCJ02_RIM = 0.05;

/**
 * Converts to WGS-84, to about 0.1 m. Outside the box that gcoord takes for China, GCJ-02 equals WGS-84; inside it the
 * shift is undone, also in the neighbouring countries that the box holds. Given a point in range, answers one.
 */
export function toWgs84(p: LonLat, datum: Datum): LonLat {
  switch (datum) {
    case 'wgs84':
      return p;
    case 'gcj02':
      return fromGcj02(p);
    case 'bd09':
      return fromGcj02(inRange(transform([p[0], p[1]], CRSTypes.BD09, CRSTypes.GCJ02)));
  }
}

function fromGcj02(p: LonLat): LonLat {
  const [w, s, e, n] = GCJ02_BOX;
  const [lon, lat] = p;
  const shifted = lon > w + GCJ02_RIM && lon < e - GCJ02_RIM && lat > s + GCJ02_RIM && lat < n - GCJ02_RIM;
  return shifted ? inRange(transform([lon, lat], CRSTypes.GCJ02, CRSTypes.WGS84)) : p;
}

/** BD-09 is shifted by some 0.0065° everywhere, so a point beside the antimeridian or a pole can leave the range. */
function inRange(position: readonly number[]): LonLat {
  const [lon = NaN, lat = NaN] = position;
  const wrapped = lon > 180 ? lon - 360 : lon < -180 ? lon + 360 : lon;
  return [wrapped, Math.min(90, Math.max(-90, lat))];
}
