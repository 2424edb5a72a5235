import type { ReactNode } from 'react';
import type { CallDetail } from '../api/types';
import { isOver } from '../api/types';
import { useI18n, type I18n } from '../i18n';
import { clock, slotText, when } from '../model/format';

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** "peer: goodbye was said" in the reader's language; what the network wrote itself stays as it is. */
function reasonText(reason: string, named: I18n['named']): string {
  const [, by, rest] = /^(us|peer|network)(?:: (.*))?$/.exec(reason) ?? [];
  if (!by) return named('reason', reason);
  return rest ? `${named('reason.by', by)}: ${named('reason', rest)}` : named('reason.by', by);
}

const since = (at: string, start: string) => Math.max(0, Date.parse(at) - Date.parse(start));

export function CallFacts({ call }: { call: CallDetail }) {
  const { t, named, locale } = useI18n();
  const slots = Object.entries(call.slots);
  const answered = call.answered_at != null;
  const shown = call.events.filter((event) => event.type !== 'disposition');
  return (
    <aside className="facts" aria-label={t('call.facts')}>
      {slots.length > 0 && (
        <section className="slots">
          <h3>{t('call.slots')}</h3>
          <dl>{slots.map(([name, value]) => <Fact key={name} name={named('slot', name)}>{named('value', slotText(value, locale))}</Fact>)}</dl>
        </section>
      )}
      <section>
        <h3>{t('call.facts')}</h3>
        <dl>
          {call.outcome && <Fact name={t('call.outcome')}>{call.outcome_text ?? named('outcome', call.outcome)}</Fact>}
          {call.disposition && <Fact name={t('call.disposition')}>{named('disposition', call.disposition)}</Fact>}
          {answered && (isOver(call) || call.disclosure_heard) && (
            <Fact name={t('call.disclosure')}>
              <span className={call.disclosure_heard ? 'good' : 'slow'}>{call.disclosure_heard ? '✓ ' : ''}{t(call.disclosure_heard ? 'call.disclosure.heard' : 'call.disclosure.not')}</span>
            </Fact>
          )}
          <Fact name={t('call.created')}>{when(call.created_at, locale)}</Fact>
          {call.duration_ms != null && <Fact name={t('call.duration')}>{clock(call.duration_ms)}</Fact>}
          <Fact name={t('call.flow')}>{named('flow', call.flow)}</Fact>
          <Fact name={t('call.language')}>{named('language', call.language)}</Fact>
          {call.sip_status ? <Fact name={t('call.sip')}>{call.sip_status}</Fact> : null}
          {call.subject_id && <Fact name={t('call.subject')}>{call.subject_id}</Fact>}
        </dl>
      </section>
      {call.transitions.length > 0 && (
        <section>
          <h3>{t('call.timeline')}</h3>
          <ol className="timeline">
            {call.transitions.map((step, i) => (
              <li key={i} className={step.state}>
                <span>{named('state', step.state)}</span>
                <time dateTime={step.at}>+{(since(step.at, call.created_at) / 1000).toFixed(1)} s</time>
                {step.reason && <small>{reasonText(step.reason, named)}</small>}
              </li>
            ))}
          </ol>
        </section>
      )}
      {shown.length > 0 && (
        <section>
          <h3>{t('call.events')}</h3>
          <ol className="timeline">
            {shown.map((event, i) => (
              <li key={i}>
                <span>{named('event', event.type)}</span>
                <time dateTime={event.at}>{answered ? clock(since(event.at, call.answered_at as string)) : ''}</time>
              </li>
            ))}
          </ol>
        </section>
      )}
    </aside>
  );
}
