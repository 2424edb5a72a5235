import { useEffect, useLayoutEffect, useRef } from 'react';
import type { Turn } from '../api/types';
import { useI18n } from '../i18n';
import { clock } from '../model/format';
import type { Transcript as Said } from '../model/transcript';
import { StageBar, StageLegend } from './StageBar';
import './call.css';

interface Props {
  said: Said;
  over: boolean;
  /** The customer is the person looking at the page. */
  mine?: boolean;
  playing?: number | null;
  onSeek?: ((ms: number) => void) | undefined;
}

function Row({ turn, mine, playing, onSeek }: { turn: Turn; mine: boolean; playing: boolean; onSeek: Props['onSeek'] }) {
  const { t } = useI18n();
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (playing) row.current?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  }, [playing]);
  const who = turn.speaker === 'bot' ? t('turn.bot') : t(mine ? 'turn.you' : 'turn.customer');
  const time = clock(turn.started_ms);
  return (
    <li ref={row} className={`turn ${turn.speaker}${playing ? ' playing' : ''}`} data-seq={turn.seq} aria-current={playing || undefined}>
      <div className="who">
        {who}
        {onSeek ? (
          <button className="time" onClick={() => onSeek(turn.started_ms)} aria-label={t('turn.play', { time })} title={t('turn.play', { time })}>
            {time}
          </button>
        ) : (
          <span className="time">{time}</span>
        )}
        {turn.interrupted_at_ms != null && <span className="badge cut" title={clock(turn.interrupted_at_ms)}>✂ {t('turn.bargein')}</span>}
      </div>
      <p className="text" onClick={onSeek && (() => onSeek(turn.started_ms))}>
        {turn.text}
        {turn.unsaid && <> <del title={t('turn.unsaid')}><span className="sr">{t('turn.unsaid')}: </span>{turn.unsaid}</del></>}
      </p>
      <StageBar stages={turn.stages} />
    </li>
  );
}

export function Transcript({ said, over, mine = false, playing = null, onSeek }: Props) {
  const { t } = useI18n();
  const box = useRef<HTMLDivElement>(null);
  const pinned = useRef(true);
  const scrolled = () => {
    const at = box.current;
    if (at) pinned.current = at.scrollHeight - at.scrollTop - at.clientHeight < 80;
  };
  useLayoutEffect(() => {
    const at = box.current;
    if (at && pinned.current && !over) at.scrollTop = at.scrollHeight;
  }, [said, over]);
  const nothing = said.turns.length === 0 && said.partials.length === 0;
  const measured = said.turns.some((turn) => turn.stages?.gap_ms);
  return (
    <section className="transcript" aria-label={t('transcript.title')}>
      {measured && <StageLegend />}
      <div className="scroll" ref={box} onScroll={scrolled} tabIndex={0} role="log" aria-live="off" aria-label={t('transcript.title')}>
        {nothing && <p className="hint">{t(over ? 'transcript.silent' : 'transcript.empty')}</p>}
        <ol>
          {said.turns.map((turn) => (
            <Row key={turn.seq} turn={turn} mine={mine} playing={playing === turn.seq} onSeek={onSeek} />
          ))}
          {said.partials.map((partial) => (
            <li key={partial.speaker} className={`turn partial ${partial.speaker}`}>
              <div className="who">
                {partial.speaker === 'bot' ? t('turn.bot') : t(mine ? 'turn.you' : 'turn.customer')}
                <span className="listening">{t('turn.listening')}</span>
              </div>
              <p className="text">{partial.text}</p>
            </li>
          ))}
        </ol>
      </div>
      <p className="sr" role="status">{said.turns.at(-1)?.text}</p>
    </section>
  );
}
