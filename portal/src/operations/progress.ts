// Where an operation is, which way it goes, and how long its steps took. Without a word, so that it can be tested.
import type { OperationStepView, OperationView } from '../api/types';

type Steps = Pick<OperationView, 'steps'>;

/** Whether it goes on by itself. */
export function isMoving({ state }: Pick<OperationView, 'state'>): boolean {
  return state === 'pending' || state === 'running' || state === 'undoing';
}

/** The place of the step that is worked on, or that it got stuck in; -1 when there is none. */
export function current({ steps }: Steps): number {
  return steps.findIndex((step) => ['running', 'undoing', 'failed'].includes(step.state));
}

/**
 * Whether it takes back what was done. One that is stuck does not say so: on its way back its reason is why it turned round, and the
 * step has an error of its own.
 */
export function goesBack(operation: Pick<OperationView, 'state' | 'reason' | 'steps'>): boolean {
  const { state, reason, steps } = operation;
  if (state !== 'stuck') return state === 'undoing' || state === 'undone';
  const error = steps[current(operation)]?.error;
  return steps.some((step) => step.undone_at) || (!!reason && !!error && reason !== error);
}

/** Whether the step was left out, or done away with, on the way back. */
export const isBehind = (step: OperationStepView) => step.state === 'undone' || !!step.undone_at;

/**
 * How long the step took in the direction it went last, in milliseconds. The end of its work is also when it begins to be taken back,
 * so of one that is taken back only the way back is known.
 */
export function took(step: OperationStepView, back: boolean, now: number): number | undefined {
  const between = (from: string | null | undefined, to: string | null | undefined) =>
    // Clocks differ: nothing took less than no time.
    from && to ? Math.max(0, Date.parse(to) - Date.parse(from)) : undefined;
  const until = new Date(now).toISOString();
  if (isBehind(step)) return between(step.ended_at, step.undone_at);
  switch (step.state) {
    case 'running':
      return between(step.started_at, until);
    case 'undoing':
      return between(step.ended_at, until);
    case 'failed':
      return back ? undefined : between(step.started_at, step.ended_at);
    case 'done':
    case 'skipped':
      return between(step.started_at, step.ended_at);
    default:
      return undefined;
  }
}

/** From the first step to the end, or until now. */
export function tookInAll(
  operation: Pick<OperationView, 'started_at' | 'settled_at'>,
  now: number,
): number | undefined {
  const { started_at, settled_at } = operation;
  if (!started_at) return undefined;
  return Math.max(0, (settled_at ? Date.parse(settled_at) : now) - Date.parse(started_at));
}

/** The engines of a change of engines, when it is one. */
export function engines(input: unknown): { from: string; to: string } | undefined {
  const { from_engine_version: from, engine_version: to } = (input ?? {}) as Record<string, unknown>;
  return typeof from === 'string' && typeof to === 'string' ? { from, to } : undefined;
}

/** Which key of the installation is put in force, when one is. */
export function generation(kind: string, input: unknown): number | undefined {
  const { generation } = (input ?? {}) as Record<string, unknown>;
  return kind === 'key.rotate' && typeof generation === 'number' ? generation : undefined;
}

/** Whether there is something in it to show. */
export function isSomething(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
