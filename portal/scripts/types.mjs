// The bodies of the HTTP surface as TypeScript, from the API document that the server's tests keep current.
// Only the bodies: the paths would be 10,000 lines more that nothing here reads.
// `node scripts/types.mjs` writes src/api/schema.d.ts; with `--check` it fails when that file is not what it would write.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import openapi, { astToString } from 'openapi-typescript';

const root = join(import.meta.dirname, '..');
const document = JSON.parse(readFileSync(join(root, '../docs/reference/openapi.json'), 'utf8'));
const target = join(root, 'src/api/schema.d.ts');

const wanted = `// Generated from docs/reference/openapi.json by \`npm run generate\`; not edited by hand.
${astToString(await openapi({ ...document, paths: {} }))}`;

if (!process.argv.includes('--check')) {
  writeFileSync(target, wanted);
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== wanted) {
  console.error('portal/src/api/schema.d.ts does not follow docs/reference/openapi.json: npm run generate');
  process.exitCode = 1;
}
