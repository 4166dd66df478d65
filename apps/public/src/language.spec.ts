import { describe, expect, it } from '@jest/globals';
import { chooseLanguage } from './language.ts';

describe('chooseLanguage', () => {
  it.each([
    ['en', 'zh-CN', 'en'],
    ['zh-TW', 'en', 'zh-CN'],
    ['<script>', 'en-GB,zh;q=0.9', 'en'],
    [undefined, 'fr, en;q=0.3, zh;q=0.7', 'zh-CN'],
    [undefined, 'zh;q=0, en;q=0.1', 'en'],
    [undefined, 'en;q=nonsense, zh;q=0.1', 'zh-CN'],
    [undefined, 'fr', 'zh-CN'],
    [undefined, '', 'zh-CN'],
    [undefined, undefined, 'zh-CN'],
  ] as const)('lang %s with Accept-Language %s is %s', (lang, header, expected) => {
    expect(chooseLanguage(lang, header)).toBe(expected);
  });
});
