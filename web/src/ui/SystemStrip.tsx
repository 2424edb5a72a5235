import { useEffect, useRef, useState } from 'react';
import { api } from '../api/client';
import type { System } from '../api/types';
import { useI18n } from '../i18n';
import { useConnected, useLive } from './live';

const POLL_MS = 15_000;

export function SystemStrip() {
  const { t, named } = useI18n();
  const [system, setSystem] = useState<System | null>(null);
  const connected = useConnected();
  const soon = useRef<ReturnType<typeof setTimeout>>(undefined);
  const fetchNow = () => {
    api.system().then(setSystem, () => undefined); // the badge "reconnecting" tells that the server is away
  };
  useEffect(() => {
    fetchNow();
    const timer = setInterval(fetchNow, POLL_MS);
    return () => {
      clearInterval(timer);
      clearTimeout(soon.current);
    };
  }, []);
  useLive((message) => {
    if (message.type === 'engine') {
      setSystem((now) => now && {
        ...now,
        engines: [...now.engines.filter((e) => e.name !== message.name), message].sort((a, b) => a.name.localeCompare(b.name)),
      });
    } else if (message.type === 'call') {
      clearTimeout(soon.current);
      soon.current = setTimeout(fetchNow, 300);
    }
  }, fetchNow);
  return (
    <div className="system" role="status">
      {system && (
        <>
          <span className="lines">{t('system.active', { active: system.active_calls, max: system.calls_max })}</span>
          {system.waiting_calls ? <span>{t('system.waiting', { n: system.waiting_calls })}</span> : null}
          {system.prompts_left ? <span>{t('system.prompts', { n: system.prompts_left })}</span> : null}
          {system.engines.map((engine) => (
            <span key={engine.name} className={`engine ${engine.state}`} title={named('engine', engine.state)}>
              <i aria-hidden="true" />
              {named('engine', engine.name)}
              <span className={engine.state === 'up' ? 'sr' : ''}> {named('engine', engine.state)}</span>
            </span>
          ))}
        </>
      )}
      <span className={`engine ${connected ? 'up' : 'starting'}`}>
        <i aria-hidden="true" />
        {t(connected ? 'system.live' : 'system.reconnecting')}
      </span>
    </div>
  );
}
