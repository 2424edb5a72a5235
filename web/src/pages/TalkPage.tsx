import { useEffect, useRef, useState } from 'react';
import { TalkSession, type Levels, type TalkState } from '../audio/talk-session';
import { useI18n } from '../i18n';
import { Choice } from '../ui/Choice';
import { Keypad } from '../ui/Keypad';
import { Meter } from '../ui/Meter';
import { Link } from '../ui/router';
import { Transcript } from '../ui/Transcript';
import { useCall } from '../ui/useCall';
import { flowName, useFlows } from '../ui/useFlows';
import './pages.css';

const SILENT: Levels = { customer: -90, bot: -90 };

function useTalk() {
  const session = useRef<TalkSession>(null);
  const [state, setState] = useState<TalkState | null>(null);
  const [levels, setLevels] = useState(SILENT);
  useEffect(() => () => session.current?.close(), []);
  const start = (flow: string, language: 'zh' | 'en') => {
    const fresh: TalkSession = new TalkSession(
      (next) => session.current === fresh && setState(next),
      (next) => session.current === fresh && setLevels(next),
    );
    session.current = fresh;
    void fresh.start(flow, language);
  };
  return { session, state, levels, start };
}

function Said({ id, over }: { id: string; over: boolean }) {
  const { said } = useCall(id);
  return <Transcript said={said} over={over} mine />;
}

function useKeys(active: boolean, press: (key: string) => void) {
  useEffect(() => {
    if (!active) return;
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.closest('input, select, textarea');
      if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && /^[0-9*#]$/.test(event.key)) press(event.key);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
}

export default function TalkPage() {
  const { t, language: shown, named } = useI18n();
  const { flows, flow, setFlow, language, setLanguage } = useFlows(shown);
  const { session, state, levels, start } = useTalk();
  const phase = state?.phase ?? 'idle';
  const busy = phase === 'asking' || phase === 'connecting' || phase === 'talking';
  const [pressed, setPressed] = useState('');
  const press = (key: string) => {
    session.current?.dtmf(key);
    setPressed((before) => (before + key).slice(-12));
  };
  useKeys(phase === 'talking', press);
  const begin = () => {
    setPressed('');
    if (flow) start(flow.id, language);
  };
  const failed = phase === 'ended' && state?.fault != null && state.callId === null;
  const loudness = Math.max(0, Math.min(1, (Math.max(levels.bot, levels.customer) + 60) / 55));
  return (
    <main className="talk page" id="main">
      <section className="stage">
        <h1>{t('talk.title')}</h1>
        <p className="lead">{t('talk.lead')}</p>
        <div className="options">
          {flows && flows.length > 1 && (
            <label className="field">
              <span>{t('talk.flow')}</span>
              <select value={flow?.id} onChange={(e) => setFlow(e.currentTarget.value)} disabled={busy}>
                {flows.map((one) => <option key={one.id} value={one.id}>{flowName(one, named)}</option>)}
              </select>
            </label>
          )}
          <Choice label={t('talk.language')} value={language} disabled={busy} onChange={setLanguage}
            options={(flow?.languages ?? ['zh', 'en']).map((code) => [code, named('language', code)] as const) as ['zh' | 'en', string][]} />
        </div>
        <div className={`orb ${phase}`} style={{ '--loud': loudness } as React.CSSProperties} aria-hidden="true"><i /><i /><i /></div>
        <p className="phase" role="status" data-phase={phase} data-frames={state?.framesHeard ?? 0}>
          {phase === 'idle' ? t('talk.ready') : t(failed ? 'talk.failed' : `talk.${phase}`)}
        </p>
        {flows?.length === 0 && <p className="fault">{t('new.noflows')}</p>}
        {state?.fault && (
          <p className="fault" role="alert" data-fault={state.fault}>{t(`fault.${state.fault}`, { detail: state.detail })}</p>
        )}
        <div className="actions">
          {!busy && <button className="primary big" onClick={begin} disabled={!flow}>{t(failed ? 'error.retry' : phase === 'ended' ? 'talk.again' : 'talk.start')}</button>}
          {busy && (
            <>
              <button onClick={() => session.current?.mute(!state?.muted)} aria-pressed={state?.muted ?? false}>{t(state?.muted ? 'talk.unmute' : 'talk.mute')}</button>
              <button className="danger big" onClick={() => session.current?.close()}>{t('talk.hangup')}</button>
            </>
          )}
        </div>
        {phase === 'talking' && (
          <>
            <div className="levels">
              <Meter label={t('talk.you')} dbov={levels.customer} kind="customer" />
              <Meter label={t('talk.bot')} dbov={levels.bot} kind="bot" />
            </div>
            <details className="keys">
              <summary>{t('talk.keypad')} {pressed && <output>{pressed}</output>}</summary>
              <Keypad onKey={press} disabled={false} />
            </details>
          </>
        )}
        {!busy && <p className="tip">{phase === 'idle' && `${t('talk.permission')} `}{t('talk.tip')}</p>}
      </section>
      {state?.callId && (
        <section className="beside">
          <Said key={state.callId} id={state.callId} over={phase === 'ended'} />
          {phase === 'ended' && <Link className="button" href={`/calls/${state.callId}`}>{t('talk.open')}</Link>}
        </section>
      )}
    </main>
  );
}
