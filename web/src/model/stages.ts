import type { Stages } from '../api/types';

export type StageName = 'end_of_turn' | 'understanding' | 'model' | 'voice' | 'sending';
export interface Segment { name: StageName; ms: number; share: number }
export interface StageBar {
  gap: number;
  segments: Segment[];
  /** Recognition runs ahead while the silence that ends a turn is still being waited for, so it lies beside the bar. */
  asr: { ms: number; from: number; share: number } | null;
}

const whole = (ms: number | undefined) => (Number.isFinite(ms) ? Math.max(0, Math.round(ms as number)) : 0);

/** The time from the customer's last sound to the bot's first one, cut into what it was spent on. null: nothing was measured. */
export function stageBar(stages: Stages | null | undefined): StageBar | null {
  if (!stages) return null;
  const gap = whole(stages.gap_ms ?? stages.first_packet_ms);
  if (gap === 0) return null;
  const spans: [StageName, number][] = [
    ['end_of_turn', whole(stages.end_of_turn_ms)],
    ['understanding', whole(stages.understanding_ms)],
    ['model', whole(stages.model_ms)],
    ['voice', whole(stages.voice_ms)],
  ];
  let left = gap;
  const segments: Segment[] = [];
  for (const [name, ms] of spans) {
    const fits = Math.min(ms, left);
    left -= fits;
    if (fits > 0) segments.push({ name, ms, share: fits / gap });
  }
  if (left > 0) segments.push({ name: 'sending', ms: left, share: left / gap });
  const asr = whole(stages.asr_ms);
  const end = Math.min(gap, Math.max(whole(stages.end_of_turn_ms), Math.min(asr, gap)));
  const shown = Math.min(asr, end);
  return { gap, segments, asr: asr > 0 ? { ms: asr, from: (end - shown) / gap, share: shown / gap } : null };
}

/** Good up to 800 ms, noticeable up to 1,300 ms, slow beyond. */
export function gapClass(gap: number): 'good' | 'fair' | 'slow' {
  return gap <= 800 ? 'good' : gap <= 1300 ? 'fair' : 'slow';
}
