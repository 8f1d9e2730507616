// Markdown, loaded beside the page: until it is there (and where it fails) the plain text is readable.
import { lazy, memo, Suspense, useMemo } from 'react';
import { splitBlocks } from './blocks';

const load = () => import('./Markdown');
const Markdown = lazy(load);

/** Fetches it while somebody still types, so that an answer never shows its marks first. */
export function preloadProse(): void {
  load().catch(() => {});
}

const Block = memo(function Block({ text }: { text: string }) {
  return (
    <Suspense fallback={<div className="plain">{text}</div>}>
      <Markdown text={text} />
    </Suspense>
  );
});

export function Prose({ text }: { text: string }) {
  return (
    <div className="markdown">
      <Block text={text} />
    </div>
  );
}

/** Text that still grows: only its last block is parsed again. */
export function GrowingProse({ text }: { text: string }) {
  const blocks = useMemo(() => splitBlocks(text), [text]);
  return (
    <div className="markdown growing">
      {blocks.map((block, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: blocks only ever grow at the end
        <Block key={i} text={block} />
      ))}
    </div>
  );
}
