import { useEffect, useEffectEvent, useImperativeHandle, useRef, useState, type PointerEvent, type Ref } from 'react';
import { api } from '../api/client';
import { useI18n } from '../i18n';
import { clock } from '../model/format';
import { durationMs, parseWav, peaks, type Wav } from '../model/wav';
import { barsIn, drawWave } from './wave';

export interface PlayerHandle { playFrom: (ms: number) => void }
interface Props { id: string; onTime: (ms: number, on: boolean) => void; ref?: Ref<PlayerHandle> }

function useRecording(id: string) {
  const [wav, setWav] = useState<Wav | null>(null);
  const [url, setUrl] = useState<string | null>(null);
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    const abort = new AbortController();
    let made: string | null = null;
    api.recording(id, abort.signal).then((bytes) => {
      setWav(parseWav(bytes));
      made = URL.createObjectURL(new Blob([bytes], { type: 'audio/wav' }));
      setUrl(made);
    }).catch(() => {
      if (!abort.signal.aborted) setMissing(true);
    });
    return () => {
      abort.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [id]);
  return { wav, url, missing };
}

function useWidth(canvas: HTMLCanvasElement | null): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!canvas) return;
    const watch = new ResizeObserver(() => setWidth(canvas.clientWidth));
    watch.observe(canvas);
    return () => watch.disconnect();
  }, [canvas]);
  return width;
}

function Wave({ wav, played, onSeek }: { wav: Wav; played: number; onSeek: (share: number) => void }) {
  const { t } = useI18n();
  const [canvas, setCanvas] = useState<HTMLCanvasElement | null>(null);
  const width = useWidth(canvas);
  const lanes = useRef<{ width: number; of: Wav; peaks: [Float32Array, Float32Array] } | null>(null);
  const total = durationMs(wav);
  useEffect(() => {
    if (!canvas || width === 0) return;
    if (lanes.current?.width !== width || lanes.current.of !== wav) {
      const bins = barsIn(width);
      lanes.current = { width, of: wav, peaks: [peaks(wav, 0, bins), peaks(wav, wav.channels - 1, bins)] };
    }
    const style = getComputedStyle(canvas);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    drawWave(canvas, lanes.current.peaks, played, {
      customer: colour('--customer'), bot: colour('--bot'), rest: colour('--line'), cursor: colour('--ink'),
    });
  });
  const point = (event: PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    onSeek(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  };
  return (
    <div className="wave">
      <span className="lane customer">{t('player.customer')}</span>
      <span className="lane bot">{t('player.bot')}</span>
      <canvas ref={setCanvas} aria-hidden="true" onPointerDown={point} onPointerMove={(e) => e.buttons === 1 && point(e)} />
      <input type="range" min={0} max={Math.round(total)} step={500} value={Math.round(played * total)} aria-label={t('player.seek')} aria-valuetext={`${clock(played * total)} / ${clock(total)}`} onChange={(e) => onSeek(Number(e.currentTarget.value) / total)} />
    </div>
  );
}

export default function Player({ id, onTime, ref }: Props) {
  const { t } = useI18n();
  const { wav, url, missing } = useRecording(id);
  const audio = useRef<HTMLAudioElement>(null);
  const [ms, setMs] = useState(0);
  const [on, setOn] = useState(false);
  const tell = useEffectEvent(onTime);

  const seek = (to: number) => {
    if (!audio.current) return;
    audio.current.currentTime = to / 1000;
    setMs(to);
    tellOutside(to, true);
  };
  const tellOutside = (at: number, playing: boolean) => onTime(at, playing);
  const play = () => void audio.current?.play().catch(() => setOn(false));
  useImperativeHandle(ref, () => ({
    playFrom(from: number) {
      seek(from);
      play();
    },
  }));
  useEffect(() => {
    if (!on) return;
    let frame = 0;
    const step = () => {
      const now = (audio.current?.currentTime ?? 0) * 1000;
      setMs(now);
      tell(now, true);
      frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }, [on]);

  if (missing) return <p className="hint">{t('player.missing')}</p>;
  if (!wav || !url) return <p className="hint player-loading">{t('player.loading')}</p>;
  const total = durationMs(wav);
  return (
    <section className="player">
      <audio ref={audio} src={url} onPlay={() => setOn(true)} onPause={() => setOn(false)} onEnded={() => onTime(0, false)} />
      <button className="round primary" onClick={() => (on ? audio.current?.pause() : play())} aria-label={t(on ? 'player.pause' : 'player.play')}>
        <svg viewBox="0 0 20 20" aria-hidden="true"><path d={on ? 'M6 4h3v12H6zM11 4h3v12h-3z' : 'M6 3.5v13l10.5-6.5z'} /></svg>
      </button>
      <Wave wav={wav} played={total ? ms / total : 0} onSeek={(share) => seek(share * total)} />
      <span className="clock">{clock(ms)} / {clock(total)}</span>
    </section>
  );
}
