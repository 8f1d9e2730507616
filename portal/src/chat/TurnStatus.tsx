// What happens before the first word, in words, with how long it usually takes. Read out by screen readers once
// per change, not with every second.
import { Progress } from '@mantine/core';
import { IconLoader2, IconMessageQuestion } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { t } from '../strings';
import { seconds } from '../ui/format';
import { InstallProgress } from '../ui/InstallProgress';
import type { Run } from './runs';

const SLOW_PHASES = ['waking', 'installing', 'queued', 'starting', 'connecting'];

export function TurnStatus({ run, agentName }: { run: Run; agentName: string }) {
  const { turn } = run;
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const waking = turn.phase !== undefined && SLOW_PHASES.includes(turn.phase);

  const asks = turn.approvals.some((one) => !one.decision) || turn.questions.some((one) => !one.answered);
  if (asks && !run.stopping) {
    return (
      <div className="turn-status">
        <IconMessageQuestion size={16} aria-hidden />
        <span role="status">{t('status.asking', { agent: agentName })}</span>
      </div>
    );
  }
  if (run.stopping) return <Line words={t('status.stopping')} />;
  if (turn.text && !turn.tools.some((tool) => tool.phase === 'start')) {
    return <span className="caret" role="status" aria-label={t('status.writing', { agent: agentName })} />;
  }
  const words =
    turn.phase === 'queued' && turn.queuePosition
      ? t('status.queuedAt', { n: turn.queuePosition })
      : t(`status.${turn.phase ?? 'sending'}`, { agent: agentName });
  const elapsed = now - run.startedAt;
  const typical = turn.typicalMs;
  const showTime = waking || elapsed > 4000;
  return (
    <div>
      <Line words={words}>
        {showTime && (
          <span className="tool-hint" aria-hidden>
            {[
              elapsed >= 1000 && seconds(Math.floor(elapsed / 1000) * 1000),
              waking && typical && t('status.usually', { time: seconds(typical) }),
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
        )}
      </Line>
      {waking && typical && (
        <Progress
          mt={8}
          size={4}
          maw={360}
          // Never full before it is done, and never a promise that it is stuck.
          value={Math.min(95, (elapsed / typical) * 100)}
          aria-label={t('status.progress')}
        />
      )}
      {turn.installing && (
        <div style={{ marginTop: 8 }}>
          <InstallProgress progress={turn.installing} />
        </div>
      )}
    </div>
  );
}

function Line({ words, children }: { words: string; children?: React.ReactNode }) {
  return (
    <div className="turn-status">
      <IconLoader2 size={16} className="spin" aria-hidden />
      <span role="status">{words}</span>
      {children}
    </div>
  );
}
