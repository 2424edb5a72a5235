import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import type { Language } from '../api/types';
import type { Texts } from './zh';

export type Key = keyof Texts;
type Values = Record<string, string | number>;

const load: Record<Language, () => Promise<{ default: Texts }>> = {
  zh: () => import('./zh'),
  en: () => import('./en'),
};
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
}

const Context = createContext<I18n | null>(null);

export function preferred(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === 'zh' || stored === 'en') return stored;
  return navigator.language.toLowerCase().startsWith('en') ? 'en' : 'zh';
}

export function makeI18n(language: Language, texts: Texts, setLanguage: (l: Language) => void): I18n {
  return {
    language,
    locale: language === 'zh' ? 'zh-CN' : 'en-GB',
    t: (key, values) => fill(texts[key], values),
    named: (prefix, name) => (texts as Record<string, string>)[`${prefix}.${name}`] ?? name.replaceAll('_', ' '),
    setLanguage,
  };
}

export function I18nProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(preferred);
  const [loaded, setLoaded] = useState<{ language: Language; texts: Texts } | null>(null);
  useEffect(() => {
    let wanted = true;
    void load[language]().then((module) => {
      if (!wanted) return;
      setLoaded({ language, texts: module.default });
      document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
    });
    return () => {
      wanted = false;
    };
  }, [language]);
  const value = useMemo(
    () =>
      loaded &&
      makeI18n(loaded.language, loaded.texts, (next) => {
        localStorage.setItem(STORED, next);
        setLanguage(next);
      }),
    [loaded],
  );
  return value && <Context.Provider value={value}>{children}</Context.Provider>;
}

export const TestI18n = Context.Provider;

export function useI18n(): I18n {
  const value = useContext(Context);
  if (!value) throw new Error('no I18nProvider above');
  return value;
}
