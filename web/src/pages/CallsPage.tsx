import { lazy, Suspense, useEffect, useState } from 'react';
import { api, ApiError } from '../api/client';
import type { Call } from '../api/types';
import { useI18n, WithAllTexts } from '../i18n';
import { mergeCalls } from '../model/calls';
import { Waves } from '../ui/App';
import { CallList } from '../ui/CallList';
import { useLive } from '../ui/live';
import { Link } from '../ui/router';

const CallView = lazy(() => import('../ui/CallView'));
const PAGE = 50;

function useCalls() {
  const [calls, setCalls] = useState<Call[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const load = (from?: string) => {
    api.calls({ limit: PAGE, ...(from && { cursor: from }) }).then(
      (page) => {
        setCalls((known) => mergeCalls(known ?? [], page.calls));
        if (from || !cursor) setCursor(page.next_cursor);
        setError(null);
      },
      (problem: unknown) => {
        if (problem instanceof ApiError) setError(problem);
      },
    );
  };
  useEffect(() => load(), []);
  useLive((message) => {
    if (message.type === 'call') setCalls((known) => mergeCalls(known ?? [], [message.call]));
  }, load);
  return { calls, error, retry: () => load(), more: cursor ? () => load(cursor) : null };
}

function NoCalls() {
  const { t } = useI18n();
  return (
    <div className="empty">
      <Waves />
      <h1>{t('calls.empty.title')}</h1>
      <p>{t('calls.empty.text')}</p>
      <div className="actions">
        <Link href="/talk" className="button primary">{t('nav.talk')}</Link>
        <Link href="/new" className="button">{t('nav.new')}</Link>
      </div>
    </div>
  );
}

export function CallsPage({ id }: { id: string | null }) {
  const { t } = useI18n();
  const { calls, error, retry, more } = useCalls();
  if (calls?.length === 0 && !id) return <main className="page" id="main"><NoCalls /></main>;
  return (
    <main className={`calls${id ? ' chosen' : ''}`} id="main">
      <section className="side" aria-label={t('calls.title')}>
        <h2>{t('calls.title')}</h2>
        {!calls && !error && <p className="hint">{t('calls.loading')}</p>}
        {error && (
          <div className="hint">
            <p>{error.status === 0 ? t('error.unreachable') : error.message}</p>
            <button onClick={retry}>{t('error.retry')}</button>
          </div>
        )}
        {calls && <CallList calls={calls} selected={id} />}
        {more && <button className="quiet more" onClick={more}>{t('calls.more')}</button>}
      </section>
      <section className="main">
        {id ? (
          <Suspense fallback={<p className="hint">{t('calls.loading')}</p>}><WithAllTexts><CallView key={id} id={id} /></WithAllTexts></Suspense>
        ) : (
          <div className="empty">
            <Waves />
            <h1>{t('calls.choose.title')}</h1>
            <p>{t('calls.choose.text')}</p>
          </div>
        )}
      </section>
    </main>
  );
}
