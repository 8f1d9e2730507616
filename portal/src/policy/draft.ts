// What somebody writes before it is in force. It stays in this tab through reloads; what another text replaces is set aside, not lost.
import { useCallback, useState } from 'react';
import type { PolicyTest, PolicyView } from '../api/types';
import { useMe } from '../app/session';

export interface Draft {
  /** The version it is written over. */
  base: number;
  text: string;
  /** Its tests as they are typed. */
  tests: string;
  comment: string;
}

interface Kept {
  draft: Draft | null;
  aside: Draft | null;
}

/** On one line, with room to breathe; texts have no line breaks of their own in JSON. */
const onLine = (value: unknown) => JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');

/** A test, a line for each part of it, without what goes without saying. */
export function testAsJson({ name, expect, request }: PolicyTest): string {
  const { breakglass, ...actor } = request.actor;
  const { approved, ...rest } = request;
  const said = { ...rest, actor: breakglass ? request.actor : actor, ...(approved ? { approved } : {}) };
  const parts = Object.entries(said).map(([part, value]) => `      "${part}": ${onLine(value)}`);
  return [
    '  {',
    `    "name": ${JSON.stringify(name)},`,
    `    "expect": "${expect}",`,
    '    "request": {',
    parts.join(',\n'),
    '    }',
    '  }',
  ].join('\n');
}

export const asJson = (tests: PolicyTest[]) =>
  tests.length === 0 ? '' : `[\n${tests.map(testAsJson).join(',\n')}\n]\n`;

/** One more at the end of a list as it is typed. */
export function withTest(list: string, test: PolicyTest): string {
  const open = list.trim().replace(/\]$/, '').trimEnd();
  return open === '' || open === '[' ? asJson([test]) : `${open},\n${testAsJson(test)}\n]\n`;
}

function restored(key: string): Kept {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? '') as Kept;
    return { draft: kept.draft ?? null, aside: kept.aside ?? null };
  } catch {
    return { draft: null, aside: null };
  }
}

export type Drafting = ReturnType<typeof useDraft>;

export function useDraft(view: PolicyView) {
  const key = `fractal.rules.${useMe()?.id ?? ''}`;
  const [kept, setKept] = useState(() => restored(key));
  const keep = useCallback(
    (change: (before: Kept) => Kept) =>
      setKept((before) => {
        const after = change(before);
        try {
          if (after.draft || after.aside) sessionStorage.setItem(key, JSON.stringify(after));
          else sessionStorage.removeItem(key);
        } catch {
          // Then it holds until the next load.
        }
        return after;
      }),
    [key],
  );

  const inForce: Draft = { base: view.version, text: view.text, tests: asJson(view.tests), comment: '' };
  const draft = kept.draft ?? inForce;
  const changed = draft.text !== view.text || draft.tests !== inForce.tests;

  /** Goes on from there; a text of one's own is set aside. */
  const start = (next: Draft | null) =>
    keep((before) => ({ draft: next, aside: changed ? before.draft : before.aside }));

  return {
    draft,
    /** Whether it differs from what is in force. */
    changed,
    /** Another version was put in force since this was begun. */
    overtaken: changed && draft.base !== view.version,
    aside: kept.aside,
    edit: (change: Partial<Draft>) => {
      const next = { ...draft, ...change, base: changed ? draft.base : view.version };
      // What was typed and taken back is no text of one's own.
      const same = next.text === view.text && next.tests === inForce.tests && next.comment === '';
      keep((before) => ({ ...before, draft: same ? null : next }));
    },
    /** Takes the version in force. */
    takeInForce: () => start(null),
    /** Takes an earlier text, to be put in force again. */
    take: (text: string, tests: PolicyTest[], comment: string) =>
      start({ base: view.version, text, tests: asJson(tests), comment }),
    /** Keeps one's own text, now over the version in force. */
    rebase: () => keep((before) => ({ ...before, draft: { ...draft, base: view.version } })),
    bringBack: () => keep((before) => ({ draft: before.aside, aside: changed ? before.draft : null })),
    dropAside: () => keep((before) => ({ ...before, aside: null })),
    drop: () => keep((before) => ({ ...before, draft: null })),
  };
}
