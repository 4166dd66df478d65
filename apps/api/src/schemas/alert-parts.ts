import { z } from 'zod';
import { type Alert, type Instruction, type Localised, type Texts, TIERS } from '#dispatch';

/** Fields that an alert shows to officers and to the public alike. */
export const tier = z.enum(TIERS);
export const mode = z.enum(['real', 'exercise', 'demo'] satisfies Alert['mode'][]);
export const instruction = z.enum(['do_not_approach', 'stay_and_call', 'call'] satisfies Instruction[]);
export const localised = z.object({ 'zh-CN': z.string(), en: z.string() });

const messageText = z.object({ title: z.string(), body: z.string() });
export const texts = z.object({ 'zh-CN': messageText, en: messageText });

/** Stored as JSON: what else it may hold is not shown. */
export function viewOfPlace(place: Localised): z.input<typeof localised> {
  return { 'zh-CN': place['zh-CN'], en: place.en };
}

export function viewOfTexts({ 'zh-CN': chinese, en: english }: Texts): z.input<typeof texts> {
  const { title, body } = english;
  return { 'zh-CN': { title: chinese.title, body: chinese.body }, en: { title, body } };
}
