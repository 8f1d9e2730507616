// The shapes of bodies are held by the compiler (`schema.d.ts`); the addresses are plain texts and are held here.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SOURCES = join(import.meta.dirname, '..');
const document = JSON.parse(readFileSync(join(SOURCES, '../../docs/reference/openapi.json'), 'utf8')) as {
  paths: Record<string, unknown>;
};

test('every address that the pages ask is in the API document', () => {
  const known = new Set(Object.keys(document.paths).map((path) => path.replace(/\{[^}]+\}/g, '{}')));
  let asked = 0;
  for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(file) || /\.(test|d)\./.test(file)) continue;
    const text = readFileSync(join(SOURCES, file), 'utf8');
    for (const [, quoted = ''] of text.matchAll(/['`](\/api\/[^'`]+)['`]/g)) {
      const [path = ''] = quoted.replace(/\$\{[^}]+\}/g, '{}').split('?');
      expect(known, `${file}: ${quoted}`).toContain(path);
      asked++;
    }
  }
  expect(asked).toBeGreaterThan(50);
});
