import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fill, makeI18n, type Texts } from '../i18n';
import { en as enFirst } from '../i18n/en';
import { more as enMore } from '../i18n/en.more';
import { zh as zhFirst } from '../i18n/zh';
import { more as zhMore } from '../i18n/zh.more';

const zh: Texts = { ...zhFirst, ...zhMore };
const en: Texts = { ...enFirst, ...enMore };
// What is drawn before the other texts have come.
const FIRST_PAGE = ['App.tsx', 'Header.tsx', 'SystemStrip.tsx', 'CallList.tsx', 'CallsPage.tsx'];

const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();

describe('texts', () => {
  it('are the same in both languages, with the same holes, none empty', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
    for (const key of Object.keys(zh) as (keyof Texts)[]) {
      expect(zh[key].trim(), key).not.toBe('');
      expect(en[key].trim(), key).not.toBe('');
      expect(holes(en[key]), key).toEqual(holes(zh[key]));
    }
  });

  it('are Chinese in Chinese and not in English', () => {
    const same = new Set(['lang.switch']);
    for (const key of Object.keys(zh) as (keyof Texts)[]) {
      if (same.has(key)) continue;
      expect(zh[key], key).toMatch(/\p{Script=Han}/u);
      expect(en[key], key).not.toMatch(/\p{Script=Han}/u);
    }
  });

  it('are all that the pages ask for', () => {
    const folders = ['../ui/', '../pages/'].map((path) => new URL(path, import.meta.url));
    for (const folder of folders) {
      for (const file of readdirSync(folder)) {
        const source = readFileSync(new URL(file, folder), 'utf8');
        for (const [, key] of source.matchAll(/\bt\('([\w.]+)'/g)) expect(Object.keys(zh), file).toContain(key);
        if (FIRST_PAGE.includes(file)) for (const [, key] of source.matchAll(/\bt\('([\w.]+)'/g)) expect(Object.keys(zhFirst), file).toContain(key);
        expect(source, `${file} has text of its own`).not.toMatch(/\p{Script=Han}/u);
      }
    }
  });
});

describe('i18n', () => {
  const { named, t } = makeI18n('zh', zh, () => undefined);
  it('fills holes and leaves unknown ones', () => {
    expect(fill('{a} / {b}', { a: 1 })).toBe('1 / {b}');
    expect(t('system.active', { active: 2, max: 4 })).toBe('通话中 2 / 4');
  });
  it('shows a name that only the server knows as it is', () => {
    expect(named('disposition', 'confirmed')).toBe('已确认');
    expect(named('disposition', 'wants_a_pony')).toBe('wants a pony');
  });
});
