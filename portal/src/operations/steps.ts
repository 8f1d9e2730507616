// What steps are called. By itself, so that proposals can name them without the words of the pages of operations.
import { has, t } from '../strings';

/** “Switch the engine”; a step that there are no words for is called what the server calls it. */
export function stepWords(kind: string, name: string): string {
  const key = `step.${kind}.${name}`;
  return has(key) ? t(key) : name;
}
