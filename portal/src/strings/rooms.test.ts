// Walks the files of every page and holds the keys they name against the rooms the page enters: a word that would be missing
// on the screen fails here.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { ROOMS, type Room } from './rooms';

const src = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(file, 'utf8');

async function keysOf(rooms: Room[]): Promise<Set<string>> {
  const modules = await Promise.all(rooms.map((room) => ROOMS[room].en()));
  return new Set(modules.flatMap((nouns) => Object.values(nouns).flatMap(Object.keys)));
}

function resolve(from: string, path: string): string | undefined {
  const base = join(dirname(from), path);
  return [base, `${base}.ts`, `${base}.tsx`].find((one) => /\.tsx?$/.test(one) && existsSync(one));
}

/** A file with everything of ours that it imports, now or later; the pages are left out, they enter rooms of their own. */
function walk(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file) || file.startsWith(join(src, 'strings')) || file === join(src, 'app/pages.ts'))
    return seen;
  seen.add(file);
  const text = read(file);
  const imports = [
    ...text.matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)'/gm),
    ...text.matchAll(/^import '(\.[^']+)'/gm),
    ...text.matchAll(/\bimport\('(\.[^']+)'\)/g),
  ];
  for (const [, path = ''] of imports) {
    const found = resolve(file, path);
    if (found) walk(found, seen);
  }
  return seen;
}

/** The keys a file names: as they stand, by their beginning (`t(`role.${role}`)`), or by their prefix (`tWord('kind', …)`). */
function named(text: string, all: Set<string>): string[] {
  const whole = [...text.matchAll(/['"`]([a-zA-Z][\w-]*(?:\.[\w-]+)+)['"`]/g)].map(([, key = '']) => key);
  const begun = [
    ...[...text.matchAll(/`([a-zA-Z]+\.[\w.]*)\$\{/g)].map(([, start = '']) => start),
    ...[...text.matchAll(/\b(?:tWord|word)\('(\w+)'/g)].map(([, prefix = '']) => `${prefix}.`),
  ];
  return [
    ...whole.filter((key) => all.has(key)),
    ...[...all].filter((key) => begun.some((start) => key.startsWith(start))),
  ];
}

const pages = [
  ...read(join(src, 'app/pages.ts')).matchAll(/page\(\s*\(\) => import\('\.\.\/([^']+)'\),?([^)]*)\)/g),
].map(([, path = '', rooms = '']) => ({
  path: `${path}.tsx`,
  rooms: [...rooms.matchAll(/'([\w-]+)'/g)].map(([, room]) => room as Room),
}));

test('every page is known to this test', () => {
  expect(pages.length).toBe(read(join(src, 'app/pages.ts')).match(/^export const /gm)?.length);
});

test.each([{ path: 'main.tsx', rooms: [] }, ...pages])('$path has its words', async ({ path, rooms }) => {
  const all = await keysOf(Object.keys(ROOMS) as Room[]);
  const here = await keysOf(['first', ...rooms]);
  const missing = [...walk(join(src, path))].flatMap((file) =>
    named(read(file), all)
      .filter((key) => !here.has(key))
      .map((key) => `${relative(src, file)}: ${key}`),
  );
  expect(missing).toEqual([]);
});
