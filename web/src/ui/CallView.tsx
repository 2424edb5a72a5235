import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { api, ApiError } from '../api/client';
import { isOver, type Call } from '../api/types';
import { useI18n } from '../i18n';
import { turnAt } from '../model/transcript';
import { CallFacts } from './CallFacts';
import { calledName, DegradedBadges, StateBadge } from './CallList';
import { Meter } from './Meter';
import { useWatch } from './live';
import type { PlayerHandle } from './Player';
import { Link } from './router';
import { Transcript } from './Transcript';
import { useCall } from './useCall';
import './call.css';

const Player = lazy(() => import('./Player'));
const SURE_MS = 4000;

function HangUp({ call, onDone }: { call: Call; onDone: () => void }) {
  const { t } = useI18n();
  const [sure, setSure] = useState(false);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (!sure) return;
    const timer = setTimeout(() => setSure(false), SURE_MS);
    return () => clearTimeout(timer);
  }, [sure]);
  const press = () => {
    if (!sure) return setSure(true);
    setBusy(true);
    // A refusal means that it has ended meanwhile; the fetch shows it either way.
    api.hangUp(call.id).catch(() => undefined).finally(onDone);
  };
  return (
    <button className={`danger${sure ? ' sure' : ''}`} onClick={press} disabled={busy}>
      {t(sure ? 'call.hangup.sure' : 'call.hangup')}
    </button>
  );
}

function Trouble({ error, retry }: { error: ApiError; retry: () => void }) {
  const { t } = useI18n();
  const text = error.status === 404 ? t('call.notfound') : error.status === 0 ? t('error.unreachable') : error.message;
  return (
    <div className="empty">
      <h2>{t('error.title')}</h2>
      <p>{text}</p>
      <button onClick={retry}>{t('error.retry')}</button>
    </div>
  );
}

export default function CallView({ id }: { id: string }) {
  const { t } = useI18n();
  const { call, said, levels, error, reload } = useCall(id);
  const player = useRef<PlayerHandle>(null);
  const [playing, setPlaying] = useState<number | null>(null);
  useWatch(id, call !== null && !isOver(call));
  if (!call) return error ? <Trouble error={error} retry={reload} /> : <p className="hint">{t('calls.loading')}</p>;
  const over = isOver(call);
  const replay = over && call.has_recording === true;
  return (
    <article className="call">
      <header className="callhead">
        <Link href="/" className="back">← {t('calls.back')}</Link>
        <h1>{calledName(call, t('call.browser'))}</h1>
        <StateBadge call={call} />
        <DegradedBadges call={call} />
        {!over && <HangUp call={call} onDone={reload} />}
      </header>
      {!over && levels && (
        <div className="levels">
          <Meter label={t('turn.customer')} dbov={levels.customer} kind="customer" />
          <Meter label={t('turn.bot')} dbov={levels.bot} kind="bot" />
        </div>
      )}
      {replay && (
        <Suspense fallback={<p className="hint">{t('player.loading')}</p>}>
          <Player key={call.id} id={call.id} ref={player} onTime={(ms, on) => setPlaying(on ? (turnAt(said.turns, ms)?.seq ?? null) : null)} />
        </Suspense>
      )}
      <div className="body">
        <Transcript said={said} over={over} playing={playing} onSeek={replay ? (ms) => player.current?.playFrom(ms) : undefined} />
        <CallFacts call={call} />
      </div>
    </article>
  );
}
