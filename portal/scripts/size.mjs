// Fails when the script that the chat route loads before it is usable grows above the promise of the design:
// 250 kB compressed. Counted: the entry, the frame, the chat page and the Markdown renderer with everything
// they import, and the words of the language that has the longer ones. Not counted: the highlighter, which loads when the first code block appears.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const LIMIT = 250_000;
const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const manifest = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8'));
const roots = ['index.html', 'src/chat/ChatPage.tsx', 'src/chat/Markdown.tsx'];
const words = {
  en: ['src/strings/rooms/first.en.ts'],
  de: ['src/strings/rooms/first.de.ts', 'src/strings/de/faults.ts'],
};

const visit = (key, files) => {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`${key} is not in the manifest: adapt scripts/size.mjs to the new route split`);
  if (files.has(chunk.file)) return files;
  files.add(chunk.file);
  for (const imported of chunk.imports ?? []) visit(imported, files);
  return files;
};
const compressed = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;

const totals = Object.entries(words).map(([language, own]) => {
  const files = new Set();
  for (const root of [...roots, ...own]) visit(root, files);
  const sizes = [...files].map((file) => ({ file, size: compressed(file) }));
  return { language, sizes, total: sizes.reduce((sum, { size }) => sum + size, 0) };
});
const { language, sizes, total } = totals.sort((a, b) => b.total - a.total)[0];
for (const { file, size } of sizes) console.log(`${(size / 1000).toFixed(1).padStart(8)} kB  ${file}`);
console.log(
  `${(total / 1000).toFixed(1).padStart(8)} kB  in all, in the longer language (${language}), limit ${LIMIT / 1000} kB (gzip)`,
);
if (total > LIMIT) {
  console.error('The chat route loads too much script: split a route or drop a dependency.');
  process.exit(1);
}
