import type { CaseType } from '#cases';
import type { Instruction, Language, Localised, MessageKind, Notice, Texts } from './alert.types.ts';

/** 'Runaway' and 'family abduction' are never shown: both kinds of abduction tell the public the same. */
const INSTRUCTION_OF: Record<CaseType, Instruction> = {
  abduction: 'do_not_approach',
  family_abduction: 'do_not_approach',
  runaway: 'stay_and_call',
  lost: 'stay_and_call',
  unknown: 'call',
};

export function instructionFor(type: CaseType): Instruction {
  return INSTRUCTION_OF[type];
}

/** What to do, without the number to call. */
const INSTRUCTIONS: Record<Instruction, Localised> = {
  do_not_approach: {
    'zh-CN': '如发现孩子，请勿靠近，立即拨打',
    en: 'If you see the child, do not approach. Call',
  },
  stay_and_call: {
    'zh-CN': '如发现孩子，请陪在孩子身边，并拨打',
    en: 'If you see the child, stay with them and call',
  },
  call: { 'zh-CN': '如有线索，请拨打', en: 'If you know anything, call' },
};

/** Said before the alert's own text, to those who were asked before. */
const NOTICES: Record<Notice, Localised> = {
  photo_wrong: {
    'zh-CN': '更正：此前显示的照片有误，请删除，不要再转发。',
    en: 'Correction: the photo shown before was wrong. Please delete it and do not share it.',
  },
};

/** A message as phones show it; one that asks for help also says what to do and whom to call. */
export function shownText(
  message: {
    readonly kind: MessageKind;
    readonly texts: Texts;
    readonly instruction: Instruction;
    readonly callNumber: string;
    readonly notice?: Notice | null;
  },
  language: Language,
): { readonly title: string; readonly body: string } {
  const text = message.texts[language];
  if (!asks(message.kind)) return text;
  const notice = message.notice ? `${NOTICES[message.notice][language]}\n` : '';
  return {
    ...text,
    body: `${notice}${text.body}\n${INSTRUCTIONS[message.instruction][language]} ${message.callNumber}`,
  };
}

export function asks(kind: MessageKind): boolean {
  return kind === 'alert' || kind === 'update';
}

/** How an ending is told. 'The child is safe' is said only when police choose to; nothing else is ever told of an outcome. */
export type PublicEnding = 'safe' | 'ended';

const ENDINGS: Record<PublicEnding, Texts> = {
  safe: {
    'zh-CN': { title: '孩子平安', body: '搜寻已结束，孩子平安。感谢您的帮助。请不要再转发寻人信息。' },
    en: {
      title: 'The child is safe',
      body: 'The search has ended and the child is safe. Thank you for your help. Please stop sharing the alert.',
    },
  },
  ended: {
    'zh-CN': { title: '搜寻已结束', body: '搜寻已结束，感谢您的帮助。请不要再转发寻人信息。' },
    en: {
      title: 'The search has ended',
      body: 'The search has ended. Thank you for your help. Please stop sharing the alert.',
    },
  },
};

const CANCELLED: Texts = {
  'zh-CN': { title: '寻人信息已撤销', body: '此前的寻人信息已撤销，无需再留意。感谢您的帮助。请不要再转发。' },
  en: {
    title: 'The alert is cancelled',
    body: 'The alert is cancelled and nothing more is needed. Thank you for your help. Please stop sharing it.',
  },
};

/** The text of an ending: the same for every child, so that it says nothing about this one. */
export function endingTexts(kind: Exclude<MessageKind, 'alert' | 'update'>, ending: PublicEnding): Texts {
  return kind === 'cancel' ? CANCELLED : ENDINGS[kind === 'found' ? ending : 'ended'];
}
