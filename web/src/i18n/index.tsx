import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import type { Language } from '../api/types';
import type { FirstTexts } from './zh';
import type { MoreTexts } from './zh.more';

export type Texts = FirstTexts & MoreTexts;
export type Key = keyof Texts;
type Values = Record<string, string | number>;

const first: Record<Language, () => Promise<{ default: FirstTexts }>> = { zh: () => import('./zh'), en: () => import('./en') };
const more: Record<Language, () => Promise<{ default: MoreTexts }>> = { zh: () => import('./zh.more'), en: () => import('./en.more') };
const STORED = 'aicall.language';

export function fill(text: string, values: Values = {}): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export interface I18n {
  language: Language;
  locale: string;
  t: (key: Key, values?: Values) => string;
  /** The text of `prefix.name`, or the name itself where the server knows more names than this page. */
  named: (prefix: string, name: string) => string;
  setLanguage: (language: Language) => void;
  /** The texts of every page are here; see WithAllTexts. */
  all: boolean;
  wantAll: () => void;
}

const Context = createContext<I18n | null>(null);

export function preferred(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === 'zh' || stored === 'en') return stored;
  return navigator.language.toLowerCase().startsWith('en') ? 'en' : 'zh';
}

export function makeI18n(language: Language, texts: Texts, setLanguage: (l: Language) => void, all = true, wantAll: () => void = () => undefined): I18n {
  return {
    all,
    wantAll,
    language,
    locale: language === 'zh' ? 'zh-CN' : 'en-GB',
    t: (key, values) => fill(texts[key], values),
    named: (prefix, name) => (texts as Record<string, string>)[`${prefix}.${name}`] ?? name.replaceAll('_', ' '),
    setLanguage,
  };
}

export function I18nProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(preferred);
  const [deep, setDeep] = useState(false);
  const [loaded, setLoaded] = useState<{ language: Language; texts: Texts; deep: boolean } | null>(null);
  useEffect(() => {
    let wanted = true;
    void Promise.all([first[language](), deep ? more[language]() : null]).then(([shell, rest]) => {
      if (!wanted) return;
      // Without the rest only the first page is drawn, and it asks for nothing else.
      setLoaded({ language, texts: { ...shell.default, ...rest?.default } as Texts, deep });
      document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
    });
    return () => {
      wanted = false;
    };
  }, [language, deep]);
  const value = useMemo(
    () =>
      loaded &&
      makeI18n(
        loaded.language,
        loaded.texts,
        (next) => {
          localStorage.setItem(STORED, next);
          setLanguage(next);
        },
        loaded.deep,
        () => setDeep(true),
      ),
    [loaded],
  );
  return value && <Context.Provider value={value}>{children}</Context.Provider>;
}

/** Around each page but the first: its texts come with it. */
export function WithAllTexts({ children }: { children: ReactNode }) {
  const { all, wantAll } = useI18n();
  useEffect(wantAll, []);
  return all && children;
}

export const TestI18n = Context.Provider;

export function useI18n(): I18n {
  const value = useContext(Context);
  if (!value) throw new Error('no I18nProvider above');
  return value;
}
