import type { Call } from '../api/types';
import { isOver } from '../api/types';
import { useI18n } from '../i18n';
import { clock, when } from '../model/format';
import { Link } from './router';

export function StateBadge({ call }: { call: Call }) {
  const { named } = useI18n();
  if (!isOver(call)) return <span className={`badge live ${call.state}`}><i aria-hidden="true" />{named('state', call.state)}</span>;
  if (call.disposition) return <span className="badge done">{named('disposition', call.disposition)}</span>;
  const bad = call.state === 'failed' || (call.outcome && call.outcome !== 'completed');
  return (
    <span className={`badge ${bad ? 'bad' : ''}`}>
      {call.outcome && call.outcome !== 'completed' ? named('outcome', call.outcome) : named('state', call.state)}
    </span>
  );
}

export function DegradedBadges({ call }: { call: Call }) {
  const { t, named } = useI18n();
  return call.degraded?.map((part) => (
    <span key={part} className="badge warn">⚠ {t('call.degraded', { part: named('degraded', part) })}</span>
  ));
}

export const calledName = (call: Call, browser: string) =>
  call.direction === 'browser' || !call.to ? browser : call.to.replace(/^sip:/, '');

export function CallList({ calls, selected }: { calls: Call[]; selected: string | null }) {
  const { t, locale, named } = useI18n();
  return (
    <ul className="list">
      {calls.map((call) => (
        <li key={call.id}>
          <Link href={`/calls/${call.id}`} aria-current={call.id === selected ? 'true' : undefined}>
            <span className="name">{calledName(call, t('call.browser'))}</span>
            <time dateTime={call.created_at}>{when(call.created_at, locale)}</time>
            <span className="sub"><StateBadge call={call} />{call.degraded?.length ? <span className="badge warn" title={t('call.degraded', { part: call.degraded.map((p) => named('degraded', p)).join(' ') })}>⚠</span> : null}</span>
            <span className="length">{call.duration_ms != null ? clock(call.duration_ms) : named('language', call.language)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
