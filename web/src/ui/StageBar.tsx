import type { Stages } from '../api/types';
import { useI18n } from '../i18n';
import { gapClass, stageBar } from '../model/stages';

const FULL_MS = 2000; // a bar of full width; longer answers fill it

export function StageBar({ stages }: { stages: Stages | null | undefined }) {
  const { t } = useI18n();
  const bar = stageBar(stages);
  if (!bar) return null;
  const spoken = bar.segments.map((s) => `${t(`stage.${s.name}`)} ${s.ms} ms`);
  if (bar.asr) spoken.push(`${t('stage.asr')} ${bar.asr.ms} ms`);
  return (
    <div className="stages">
      <div className="bar" role="img" aria-label={`${t('turn.gap', { ms: bar.gap })}: ${spoken.join(', ')}`} style={{ width: `${Math.max(12, Math.min(100, (bar.gap / FULL_MS) * 100))}%` }}>
        <div className="spans">
          {bar.segments.map((s) => (
            <span key={s.name} className={`s-${s.name}`} style={{ flexGrow: s.share }} title={`${t(`stage.${s.name}`)} ${s.ms} ms`} />
          ))}
        </div>
        {bar.asr && (
          <span className="asr s-asr" title={`${t('stage.asr')} ${bar.asr.ms} ms`} style={{ left: `${bar.asr.from * 100}%`, width: `${bar.asr.share * 100}%` }} />
        )}
      </div>
      <details>
        <summary>
          <b className={gapClass(bar.gap)}>{bar.gap} ms</b> <span className="more">{t('stage.details')}</span>
        </summary>
        <ul>
          {bar.segments.map((s) => (
            <li key={s.name}><i className={`s-${s.name}`} />{t(`stage.${s.name}`)} <b>{s.ms}</b></li>
          ))}
          {bar.asr && <li><i className="s-asr" />{t('stage.asr')} <b>{bar.asr.ms}</b></li>}
        </ul>
      </details>
    </div>
  );
}

export function StageLegend() {
  const { t } = useI18n();
  return (
    <details className="legend">
      <summary>
        {t('stage.legend')}
        <ul>
          {(['end_of_turn', 'asr', 'understanding', 'model', 'voice', 'sending'] as const).map((name) => (
            <li key={name}><i className={`s-${name}`} />{t(`stage.${name}`)}</li>
          ))}
        </ul>
      </summary>
      <p>{t('stage.explain', { full: FULL_MS / 1000 })}</p>
      <p>
        <b className="good">≤ 800 ms</b> {t('stage.good')} · <b className="fair">≤ 1300 ms</b> {t('stage.fair')} · <b className="slow">&gt; 1300 ms</b> {t('stage.slow')}
      </p>
    </details>
  );
}
