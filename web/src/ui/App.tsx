import { lazy, Suspense, useEffect, useState } from 'react';
import { whenUnauthorized } from '../api/client';
import { LiveFeed } from '../api/live';
import { useI18n, WithAllTexts } from '../i18n';
import { CallsPage } from '../pages/CallsPage';
import { Header } from './Header';
import { Live } from './live';
import { parsePath, usePath } from './router';

const TalkPage = lazy(() => import('../pages/TalkPage'));
const NewCallPage = lazy(() => import('../pages/NewCallPage'));

function Page() {
  const route = parsePath(usePath());
  if (route.page === 'talk') return <WithAllTexts><TalkPage /></WithAllTexts>;
  if (route.page === 'new') return <WithAllTexts><NewCallPage /></WithAllTexts>;
  return <CallsPage id={route.id} />;
}

function SignIn() {
  const { t } = useI18n();
  return (
    <main className="signin" id="main">
      <div className="empty">
        <Waves />
        <h1>{t('session.title')}</h1>
        <p>{t('session.text')}</p>
        <code className="command">aicall console</code>
        <button className="primary" onClick={() => location.reload()}>{t('session.retry')}</button>
      </div>
    </main>
  );
}

export function Waves() {
  return (
    <svg className="waves" viewBox="0 0 96 48" aria-hidden="true">
      {[8, 18, 30, 14, 40, 22, 34, 12, 20, 8].map((height, i) => (
        <rect key={i} x={4 + i * 9} y={24 - height / 2} width="4" height={height} rx="2" />
      ))}
    </svg>
  );
}

export function App() {
  const { t } = useI18n();
  const [feed] = useState(() => new LiveFeed());
  const [signedIn, setSignedIn] = useState(true);
  useEffect(
    () =>
      whenUnauthorized(() => {
        feed.stop();
        setSignedIn(false);
      }),
    [feed],
  );
  useEffect(() => {
    feed.start();
    return () => feed.stop();
  }, [feed]);
  return (
    <Live value={feed}>
      <a className="skip" href="#main">{t('app.skip')}</a>
      <Header signedIn={signedIn} />
      {signedIn ? (
        <Suspense fallback={<main className="page" aria-busy="true" />}>
          <Page />
        </Suspense>
      ) : (
        <SignIn />
      )}
    </Live>
  );
}
