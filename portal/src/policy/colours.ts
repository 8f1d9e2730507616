// Colours for rules and their tests: one pass over the text, nothing loaded for it. Long texts stay plain.

export interface Piece {
  text: string;
  colour?: 'comment' | 'string' | 'keyword' | 'effect' | 'number' | 'type' | undefined;
}

const LONGEST = 60_000;
const EFFECTS = new Set(['permit', 'forbid']);
const KEYWORDS = new Set(
  'when unless principal action resource context in is has like if then else true false null'.split(' '),
);
const TOKEN = /\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"?|@?[A-Za-z_]\w*|\d+/g;

function colourOf(word: string): Piece['colour'] {
  if (word.startsWith('//')) return 'comment';
  if (word.startsWith('"')) return 'string';
  if (word.startsWith('@')) return 'type';
  if (/^\d/.test(word)) return 'number';
  if (EFFECTS.has(word)) return 'effect';
  if (KEYWORDS.has(word)) return 'keyword';
  return /^[A-Z]/.test(word) ? 'type' : undefined;
}

export function coloured(text: string): Piece[] {
  if (text.length > LONGEST) return [{ text }];
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(TOKEN)) {
    const colour = colourOf(match[0]);
    if (!colour) continue;
    if (match.index > from) pieces.push({ text: text.slice(from, match.index) });
    pieces.push({ text: match[0], colour });
    from = match.index + match[0].length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}
