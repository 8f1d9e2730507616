// An instance's state as people say it: icon, word and colour, never colour alone.
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconClock,
  IconDatabaseOff,
  IconLoader2,
  IconMoon,
  IconPlayerStop,
  IconPlugOff,
} from '@tabler/icons-react';
import type { InstanceView } from '../api/types';
import { type Key, t } from '../strings';

type Tone = 'good' | 'working' | 'attention' | 'failed' | 'quiet';

export interface StateWords {
  tone: Tone;
  word: Key;
  hint: Key;
  Icon: typeof IconMoon;
  spin?: boolean;
}

type StateOf = Pick<InstanceView, 'seen' | 'wanted' | 'stop_reason'>;

export function isAsleep(instance: StateOf): boolean {
  return (
    instance.seen === 'frozen' ||
    (instance.seen === 'stopped' && (instance.stop_reason === 'idle' || instance.wanted === 'running'))
  );
}

export function stateWords(instance: StateOf): StateWords {
  if (instance.wanted === 'deleted') {
    return {
      tone: 'working',
      word: 'state.deleting',
      hint: 'state.deleting.hint',
      Icon: IconLoader2,
      spin: true,
    };
  }
  if (isAsleep(instance))
    return { tone: 'quiet', word: 'state.asleep', hint: 'state.asleep.hint', Icon: IconMoon };
  switch (instance.seen) {
    case 'ready':
      return { tone: 'good', word: 'state.ready', hint: 'state.ready.hint', Icon: IconCircleCheck };
    case 'busy':
      return { tone: 'working', word: 'state.busy', hint: 'state.busy.hint', Icon: IconLoader2, spin: true };
    case 'pending':
      return { tone: 'working', word: 'state.pending', hint: 'state.pending.hint', Icon: IconClock };
    case 'starting':
      return {
        tone: 'working',
        word: 'state.starting',
        hint: 'state.starting.hint',
        Icon: IconLoader2,
        spin: true,
      };
    case 'stopping':
      return {
        tone: 'working',
        word: 'state.stopping',
        hint: 'state.stopping.hint',
        Icon: IconLoader2,
        spin: true,
      };
    case 'crash_looping':
      return {
        tone: 'failed',
        word: 'state.crash_looping',
        hint: 'state.crash_looping.hint',
        Icon: IconAlertTriangle,
      };
    case 'failed':
      return { tone: 'failed', word: 'state.failed', hint: 'state.failed.hint', Icon: IconCircleX };
    case 'unreachable':
      return {
        tone: 'attention',
        word: 'state.unreachable',
        hint: 'state.unreachable.hint',
        Icon: IconPlugOff,
      };
    default:
      if (instance.stop_reason === 'disk')
        return { tone: 'failed', word: 'state.full', hint: 'state.full.hint', Icon: IconDatabaseOff };
      if (instance.stop_reason === 'operation')
        return {
          tone: 'working',
          word: 'state.operated',
          hint: 'state.operated.hint',
          Icon: IconLoader2,
          spin: true,
        };
      return { tone: 'quiet', word: 'state.stopped', hint: 'state.stopped.hint', Icon: IconPlayerStop };
  }
}

export function StateBadge({ instance }: { instance: StateOf }) {
  const { tone, word, hint, Icon, spin } = stateWords(instance);
  return (
    <span className="state" data-tone={tone} title={t(hint)}>
      <Icon size={16} aria-hidden className={spin ? 'spin' : undefined} />
      {t(word)}
    </span>
  );
}
