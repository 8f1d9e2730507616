// The tools of a turn, folded into one line that says what is going on.
import { IconCheck, IconChevronRight, IconLoader2, IconX } from '@tabler/icons-react';
import { t, tn } from '../strings';
import type { LiveTool } from './turn';

export function ToolFold({ tools }: { tools: LiveTool[] }) {
  const running = tools.findLast((tool) => tool.phase === 'start');
  const failed = tools.filter((tool) => tool.phase === 'failed').length;
  const last = tools.at(-1);
  const summary = running
    ? t('tool.running', { name: running.name })
    : tools.length === 1 && last
      ? t(last.phase === 'failed' ? 'tool.oneFailed' : 'tool.one', { name: last.name })
      : failed > 0
        ? t('tool.manyFailed', { n: tools.length, failed })
        : tn('tool.many', tools.length);
  const hint = running?.asked ?? (tools.length === 1 ? last?.outcome : undefined);
  return (
    <details className="tools">
      <summary>
        <IconChevronRight size={16} className="chevron" aria-hidden />
        {running ? (
          <IconLoader2 size={16} className="spin" aria-hidden />
        ) : failed > 0 ? (
          <IconX size={16} color="var(--failed)" aria-hidden />
        ) : (
          <IconCheck size={16} color="var(--good)" aria-hidden />
        )}
        <span>{summary}</span>
        {hint && <span className="tool-hint">{hint}</span>}
      </summary>
      <ol>
        {tools.map((tool) => (
          <li key={tool.id}>
            <strong>{tool.name}</strong>{' '}
            <span className="tool-phase" data-tone={tool.phase}>
              {t(`tool.phase.${tool.phase}`)}
            </span>
            {tool.asked && <div className="mono">{tool.asked}</div>}
            {tool.outcome && <div className="mono">{tool.outcome}</div>}
          </li>
        ))}
      </ol>
    </details>
  );
}
