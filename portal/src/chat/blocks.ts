// Cuts Markdown that is still growing into blocks, so that only its last block is parsed again with every new
// word. A cut is made at an empty line outside a fenced block and not before an indented continuation.

export function splitBlocks(text: string): string[] {
  const blocks: string[] = [];
  let current: string[] = [];
  let fence: string | undefined;
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark) {
      if (fence === undefined) fence = mark;
      else if (mark[0] === fence[0] && mark.length >= fence.length && line.trim() === mark) fence = undefined;
    }
    current.push(line);
    const next = lines[i + 1];
    if (
      fence === undefined &&
      line.trim() === '' &&
      next !== undefined &&
      /^\S/.test(next) &&
      !isListItem(next)
    ) {
      blocks.push(current.join('\n'));
      current = [];
    }
  }
  if (current.length > 0) blocks.push(current.join('\n'));
  return blocks.filter((block) => block.trim() !== '');
}

function isListItem(line: string): boolean {
  return /^([-*+]|\d{1,9}[.)])\s/.test(line);
}
