import type { Language } from '#dispatch';
import { qualityOf } from './quality.ts';

/** The language of a page: what `lang` asks for, else what Accept-Language prefers (RFC 9110 §12.5.4), else Chinese. */
export function chooseLanguage(lang: string | undefined, acceptLanguage: string | undefined): Language {
  const asked = lang === undefined ? undefined : languageOf(lang);
  return asked ?? preferred(acceptLanguage ?? '') ?? 'zh-CN';
}

function preferred(header: string): Language | undefined {
  const ranked = header
    .split(',', 20)
    .map((range) => {
      const [tag = '', quality] = range.split(';', 2);
      return { language: languageOf(tag.trim()), quality: qualityOf(quality) };
    })
    .filter(({ language, quality }) => language !== undefined && quality > 0);
  return ranked.sort((a, b) => b.quality - a.quality)[0]?.language;
}

function languageOf(tag: string): Language | undefined {
  const primary = tag.toLowerCase().split('-', 1)[0];
  return primary === 'zh' ? 'zh-CN' : primary === 'en' ? 'en' : undefined;
}
