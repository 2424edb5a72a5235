import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { makeI18n, TestI18n } from '../i18n';
import { en } from '../i18n/en';
import { more } from '../i18n/en.more';
import { gapClass, stageBar } from '../model/stages';
import { StageBar } from '../ui/StageBar';

const STAGES = { end_of_turn_ms: 500, asr_ms: 310, understanding_ms: 12, model_ms: 0, voice_ms: 80, first_packet_ms: 620, gap_ms: 620 };

describe('stageBar', () => {
  it('fills the gap exactly; what no stage claims was sending', () => {
    const bar = stageBar(STAGES);
    expect(bar?.segments.map((s) => [s.name, s.ms])).toEqual([['end_of_turn', 500], ['understanding', 12], ['voice', 80], ['sending', 28]]);
    expect(bar?.segments.reduce((sum, s) => sum + s.share, 0)).toBeCloseTo(1);
  });

  it('lays recognition beside the silence it ran in', () => {
    const asr = stageBar(STAGES)?.asr;
    expect(asr?.ms).toBe(310);
    expect(asr?.from).toBeCloseTo(190 / 620);
    expect((asr?.from ?? 0) + (asr?.share ?? 0)).toBeCloseTo(500 / 620);
  });

  it('never leaves the bar when stages overlap more than the gap', () => {
    const bar = stageBar({ ...STAGES, end_of_turn_ms: 900, asr_ms: 5000 });
    expect(bar?.segments.reduce((sum, s) => sum + s.share, 0)).toBeCloseTo(1);
    expect((bar?.asr?.from ?? 0) + (bar?.asr?.share ?? 0)).toBeLessThanOrEqual(1);
  });

  it('says nothing where nothing was measured', () => {
    expect(stageBar(null)).toBeNull();
    expect(stageBar({ end_of_turn_ms: 3 })).toBeNull();
  });

  it('judges gaps by the targets', () => {
    expect([700, 800, 801, 1300, 1301].map(gapClass)).toEqual(['good', 'good', 'fair', 'fair', 'slow']);
  });
});

describe('StageBar', () => {
  afterEach(cleanup);
  it('is one picture with a spoken description', () => {
    render(<TestI18n value={makeI18n('en', { ...en, ...more }, () => undefined)}><StageBar stages={STAGES} /></TestI18n>);
    const label = screen.getByRole('img').getAttribute('aria-label');
    expect(label).toBe('answered in 620 ms: End of turn 500 ms, Understanding 12 ms, Voice 80 ms, Sending 28 ms, Recognition (during the silence) 310 ms');
  });
});
