import type { Instruction, Language } from '#dispatch';

/** Minutes ago that a sighting can be put at: needs no clock, no zone and no script. */
export const MINUTES_AGO = [0, 5, 15, 30, 60, 120, 240, 480, 720, 1440] as const;

export type FormFault =
  | 'words_missing'
  | 'too_long'
  | 'photo_not_an_image'
  | 'photo_too_large'
  | 'photos_busy'
  | 'too_many_sightings'
  | 'form_unreadable';

export interface PageTexts {
  readonly kicker: string;
  readonly photo: string;
  readonly lastSeen: string;
  readonly asked: string;
  readonly instruction: (instruction: Instruction, number: string) => string;
  readonly call: (number: string) => string;
  readonly share: string;
  readonly copied: string;
  readonly copyThis: string;
  readonly otherLanguage: string;
  readonly mode: Readonly<Record<'exercise' | 'demo', string>>;
  readonly form: {
    readonly title: string;
    readonly promise: string;
    readonly words: string;
    readonly wordsHint: string;
    readonly place: string;
    readonly usePosition: string;
    readonly positionAdded: string;
    readonly when: string;
    readonly whenUnknown: string;
    readonly ago: (minutes: number) => string;
    readonly contact: string;
    readonly photo: string;
    readonly optional: string;
    readonly send: string;
    readonly faults: Readonly<Record<FormFault, string>>;
  };
  readonly footer: string;
  readonly thanks: { readonly title: string; readonly body: string; readonly still: string; readonly back: string };
  readonly ended: { readonly title: string; readonly body: string; readonly request: string };
  readonly notFound: { readonly title: string; readonly body: string };
  readonly failed: { readonly title: string; readonly body: string };
}

const en: PageTexts = {
  kicker: 'Missing child',
  photo: 'Photo of the missing child',
  lastSeen: 'Last seen',
  asked: 'Alert issued',
  instruction: (instruction, number) =>
    ({
      do_not_approach: `Do not approach. Keep your distance and call ${number} at once.`,
      stay_and_call: `Stay with the child and call ${number}.`,
      call: `If you see the child, call ${number} at once.`,
    })[instruction],
  call: (number) => `Call ${number}`,
  share: 'Share',
  copied: 'Link copied',
  copyThis: 'Copy this link and send it on:',
  otherLanguage: '中文',
  mode: {
    exercise: 'Exercise. No child is missing. Do not call.',
    demo: 'Demonstration. No child is missing. Do not call.',
  },
  form: {
    title: 'I saw something',
    promise: 'Only the police on this case see what you send. If it is happening now, call first.',
    words: 'What did you see?',
    wordsHint: 'The child, the clothes, who was with them, where they went',
    place: 'Where?',
    usePosition: 'Add where I am now',
    positionAdded: 'Your position will be sent along',
    when: 'When?',
    whenUnknown: 'I am not sure',
    ago: (minutes) =>
      minutes === 0
        ? 'Just now'
        : minutes < 60
          ? `${minutes} minutes ago`
          : minutes === 60
            ? '1 hour ago'
            : `${minutes / 60} hours ago`,
    contact: 'How can the police reach you?',
    photo: 'Photo',
    optional: 'optional',
    send: 'Send to the police',
    faults: {
      words_missing: 'Please write what you saw. A few words are enough.',
      too_long: 'That is too long. Please keep to the most important.',
      photo_not_an_image: 'The file is not a picture that can be read. Choose another one, or send without it.',
      photo_too_large: 'The photo is too large. Choose one under 12 MB, or send without it.',
      photos_busy: 'Many photos are arriving at this moment. Send again in a few seconds, or without the photo.',
      too_many_sightings: 'Too many messages came from your network in the last minutes. Please call instead.',
      form_unreadable: 'Your message did not arrive whole. Please send it again.',
    },
  },
  footer: 'Issued by the police. When the search ends, the name and the photo are removed from this page.',
  thanks: {
    title: 'Thank you',
    body: 'The police have what you sent.',
    still: 'If you see the child now, call.',
    back: 'Back to the page',
  },
  ended: {
    title: 'The search has ended',
    body: 'Thank you to everyone who kept their eyes open and passed it on.',
    request: 'Please delete the messages and pictures you sent on, so that the child can go on with life in peace.',
  },
  notFound: {
    title: 'This page does not exist',
    body: 'The link may be incomplete. Open it again from the message that you received.',
  },
  failed: {
    title: 'This page cannot be shown right now',
    body: 'Please try again in a moment. If you see the child, call the police.',
  },
};

const zh: PageTexts = {
  kicker: '寻找失踪儿童',
  photo: '失踪儿童的照片',
  lastSeen: '最后出现地点',
  asked: '发布时间',
  instruction: (instruction, number) =>
    ({
      do_not_approach: `请勿靠近，保持距离，立即拨打 ${number}。`,
      stay_and_call: `请陪在孩子身边，并拨打 ${number}。`,
      call: `看到孩子，请立即拨打 ${number}。`,
    })[instruction],
  call: (number) => `拨打 ${number}`,
  share: '转发',
  copied: '链接已复制',
  copyThis: '请复制此链接并转发：',
  otherLanguage: 'English',
  mode: {
    exercise: '演练：没有儿童失踪，请勿拨打电话。',
    demo: '演示：没有儿童失踪，请勿拨打电话。',
  },
  form: {
    title: '我有线索',
    promise: '您提供的内容只有办案警方能看到。如果情况正在发生，请先打电话。',
    words: '您看到了什么？',
    wordsHint: '孩子的样子、衣着、和谁在一起、往哪里去了',
    place: '在哪里？',
    usePosition: '附上我现在的位置',
    positionAdded: '将附上您现在的位置',
    when: '什么时候？',
    whenUnknown: '不确定',
    ago: (minutes) => (minutes === 0 ? '刚刚' : minutes < 60 ? `${minutes} 分钟前` : `${minutes / 60} 小时前`),
    contact: '警方怎样联系您？',
    photo: '照片',
    optional: '选填',
    send: '发送给警方',
    faults: {
      words_missing: '请写下您看到的情况，几个字也可以。',
      too_long: '内容太长，请只写最重要的。',
      photo_not_an_image: '无法读取这个图片文件。请换一张，或不附照片发送。',
      photo_too_large: '照片太大。请选择 12 MB 以内的照片，或不附照片发送。',
      photos_busy: '照片太多，一时处理不过来。请过几秒再发送，或不附照片。',
      too_many_sightings: '您的网络刚才发送的信息过多，请直接打电话。',
      form_unreadable: '信息没有完整送达，请再发送一次。',
    },
  },
  footer: '本页由警方发布。搜寻结束后，姓名和照片将从本页移除。',
  thanks: {
    title: '谢谢您',
    body: '警方已收到您提供的线索。',
    still: '如果您现在就看到孩子，请打电话。',
    back: '返回',
  },
  ended: {
    title: '搜寻已结束',
    body: '感谢每一位留意和转发的人。',
    request: '请删除您转发过的信息和照片，让孩子安心地继续生活。',
  },
  notFound: {
    title: '没有这个页面',
    body: '链接可能不完整，请从您收到的消息中重新打开。',
  },
  failed: {
    title: '页面暂时无法显示',
    body: '请稍后再试。如果您看到孩子，请立即报警。',
  },
};

export const TEXTS: Readonly<Record<Language, PageTexts>> = { 'zh-CN': zh, en };
