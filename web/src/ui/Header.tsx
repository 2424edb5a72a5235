import { useEffect, useState } from 'react';
import { useI18n } from '../i18n';
import { Link, parsePath, usePath } from './router';
import { SystemStrip } from './SystemStrip';

const STORED = 'aicall.theme';
type Theme = 'light' | 'dark';

function startTheme(): Theme {
  const stored = localStorage.getItem(STORED);
  if (stored === 'light' || stored === 'dark') return stored;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

function ThemeButton() {
  const { t } = useI18n();
  const [theme, setTheme] = useState(startTheme);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const other: Theme = theme === 'dark' ? 'light' : 'dark';
  const flip = () => {
    localStorage.setItem(STORED, other);
    setTheme(other);
  };
  return (
    <button className="quiet icon" onClick={flip} aria-label={t(`theme.${other}`)} title={t(`theme.${other}`)}>
      <svg viewBox="0 0 20 20" aria-hidden="true">
        {theme === 'dark' ? (
          <path d="M10 6a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0-4v2m0 12v2M2 10h2m12 0h2M4.3 4.3l1.4 1.4m8.6 8.6 1.4 1.4m0-11.4-1.4 1.4m-8.6 8.6-1.4 1.4" />
        ) : (
          <path d="M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7Z" />
        )}
      </svg>
    </button>
  );
}

export function Header({ signedIn }: { signedIn: boolean }) {
  const { t, language, setLanguage } = useI18n();
  const { page } = parsePath(usePath());
  const links = [
    ['calls', '/', t('nav.calls')],
    ['talk', '/talk', t('nav.talk')],
    ['new', '/new', t('nav.new')],
  ] as const;
  return (
    <header className="top">
      <Link href="/" className="brand">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="9" />
          <path d="M8 14v4M13 10v12M18 7v18M23 12v8" />
        </svg>
        <span>YYC³ AI-Call</span>
      </Link>
      {signedIn && (
        <nav>
          {links.map(([name, href, text]) => (
            <Link key={name} href={href} aria-current={page === name ? 'page' : undefined}>{text}</Link>
          ))}
        </nav>
      )}
      <div className="tools">
        {signedIn && <SystemStrip />}
        <button className="quiet" lang={language === 'zh' ? 'en' : 'zh-CN'} onClick={() => setLanguage(language === 'zh' ? 'en' : 'zh')}>
          {t('lang.switch')}
        </button>
        <ThemeButton />
      </div>
    </header>
  );
}
