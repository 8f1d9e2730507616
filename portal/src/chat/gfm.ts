// Tables, struck text, task lists, footnotes and bare addresses, as GitHub's Markdown has them. Only the half that reads them: the
// usual plugin (remark-gfm) brings the half that writes them as well, which is 7 kB of the first load for nothing.
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';

interface Extensions {
  micromarkExtensions?: unknown[];
  fromMarkdownExtensions?: unknown[];
}

/** A plugin of the Markdown renderer; `this` is its processor. */
export function readGfm(this: { data(): object }): undefined {
  const data: Extensions = this.data();
  data.micromarkExtensions = [...(data.micromarkExtensions ?? []), gfm()];
  data.fromMarkdownExtensions = [...(data.fromMarkdownExtensions ?? []), gfmFromMarkdown()];
}
