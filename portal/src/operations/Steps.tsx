// The steps from top to bottom, as they are gone; on the way back the eye is led upwards again.
import { Text } from '@mantine/core';
import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconCheck,
  IconLoader2,
  IconPlayerSkipForward,
  IconX,
} from '@tabler/icons-react';
import type { OperationStepView, OperationView, StepState } from '../api/types';
import { t, tn } from '../strings';
import { clock, duration, exact, sentence } from '../ui/format';
import { current, goesBack, isBehind, isSomething, took } from './progress';
import { stepWords } from './steps';

const LOOKS = {
  pending: { tone: 'quiet', Icon: undefined },
  running: { tone: 'working', Icon: IconLoader2 },
  done: { tone: 'good', Icon: IconCheck },
  failed: { tone: 'failed', Icon: IconX },
  undoing: { tone: 'attention', Icon: IconArrowBackUp },
  undone: { tone: 'quiet', Icon: IconArrowBackUp },
  skipped: { tone: 'quiet', Icon: IconPlayerSkipForward },
} as const satisfies Record<StepState, object>;

export function Steps({ operation, now }: { operation: OperationView; now: number }) {
  const back = goesBack(operation);
  const here = current(operation);
  return (
    <ol className="operation-steps">
      {operation.steps.map((step, i) => (
        <Step
          key={step.name}
          number={i + 1}
          name={stepWords(operation.kind, step.name)}
          step={step}
          back={back}
          isHere={i === here}
          now={now}
        />
      ))}
    </ol>
  );
}

function Step(props: {
  number: number;
  name: string;
  step: OperationStepView;
  back: boolean;
  isHere: boolean;
  now: number;
}) {
  const { step, back, isHere, number } = props;
  const { state } = step;
  const { tone, Icon } = LOOKS[state];
  const time = took(step, back, props.now);
  const wayBack = state === 'undoing' || isBehind(step);
  return (
    <li
      data-state={state}
      data-tone={tone}
      data-back={wayBack || undefined}
      aria-current={isHere ? 'step' : undefined}
    >
      <span className="operation-mark" aria-hidden>
        {Icon ? <Icon size={16} stroke={2.4} className={state === 'running' ? 'spin' : undefined} /> : number}
      </span>
      <div className="operation-step">
        <div className="operation-step-head">
          <Text fw={600} size="sm" component="span" className="operation-what">
            {props.name}
          </Text>
          {time !== undefined && (
            <span className="operation-time">
              {wayBack && <IconArrowBackUp size={14} aria-hidden />}
              {duration(time)}
            </span>
          )}
        </div>
        <div className="operation-step-state">
          <span className="state" data-tone={tone}>
            {t(state === 'failed' && back ? 'operation.step.failed.back' : `operation.step.${state}`)}
          </span>
          <When step={step} />
        </div>
        {step.error && <Failure step={step} />}
        {isSomething(step.output) && (
          <details className="operation-output">
            <summary>{t('operation.output')}</summary>
            <pre className="mono">{JSON.stringify(step.output, null, 2)}</pre>
          </details>
        )}
      </div>
    </li>
  );
}

/** When it came to this state, by the clock; the day on hover. */
function When({ step }: { step: OperationStepView }) {
  const at = isBehind(step)
    ? step.undone_at
    : step.state === 'running'
      ? step.started_at
      : step.state === 'pending'
        ? undefined
        : step.ended_at;
  if (!at) return null;
  return (
    <Text span size="sm" c="dimmed">
      <time dateTime={at} title={exact(at)}>
        {clock(at)}
      </time>
    </Text>
  );
}

function Failure({ step }: { step: OperationStepView }) {
  const failed = step.state === 'failed';
  return (
    <div className="operation-error" data-tone={failed ? 'failed' : 'attention'}>
      <IconAlertTriangle size={16} aria-hidden />
      <div>
        {step.attempts > 0 && (!failed || step.attempts > 1) && (
          <Text size="sm" fw={600}>
            {tn('operation.tries', step.attempts)}
          </Text>
        )}
        <Text size="sm">{sentence(step.error ?? '')}</Text>
      </div>
    </div>
  );
}
