// Places in a text: of a line and column, of a fault in JSON, of a test in its list.

/** The offset of a line and a character in it, both from 1; never past the end of the line. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split('\n');
  const at = Math.min(Math.max(line, 1), lines.length) - 1;
  const before = lines.slice(0, at).reduce((sum, one) => sum + one.length + 1, 0);
  // Characters, where a text counts in halves of them.
  const within = [...(lines[at] ?? '')].slice(0, Math.max(column, 1) - 1).join('').length;
  return before + within;
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Where JSON stops being JSON; browsers tell it in words of their own, or not at all. */
export function faultAt(text: string): number {
  const token = /\s*(?:("(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|([[\]{},:]))/y;
  let at = 0;
  const next = () => {
    at = token.lastIndex;
    const match = token.exec(text);
    if (!match) throw at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0);
    at = token.lastIndex - (match[1] ?? match[2] ?? '').length;
    return match[2] ?? (match[1]?.startsWith('"') ? 'text' : 'value');
  };
  const want = (is: boolean) => {
    if (!is) throw at;
  };
  const list = (close: string, item: (first: string) => void) => {
    let sign = next();
    if (sign === close) return;
    for (;;) {
      item(sign);
      sign = next();
      if (sign === close) return;
      want(sign === ',');
      sign = next();
    }
  };
  const value = (sign: string): void => {
    if (sign === '[') list(']', value);
    else if (sign === '{') {
      list('}', (name) => {
        want(name === 'text');
        want(next() === ':');
        value(next());
      });
    } else want(sign === 'text' || sign === 'value');
  };
  try {
    value(next());
    return token.lastIndex;
  } catch (place) {
    return typeof place === 'number' ? Math.min(place, text.length) : 0;
  }
}

export interface JsonFault {
  line: number;
  /** The browser's words; none when it is JSON but no list. */
  message: string;
}

/** The tests in a text, or where it is no list of them. What is in each of them, the server says. */
export function readTests<T>(text: string): { tests: T[] } | { fault: JsonFault } {
  if (text.trim() === '') return { tests: [] };
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? { tests: value as T[] } : { fault: { line: 1, message: '' } };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { fault: { line: lineOf(text, faultAt(text)), message } };
  }
}

/** Where each test begins: every `{` of the outermost list. */
export function testOffsets(text: string): number[] {
  const found: number[] = [];
  let depth = 0;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    const sign = match[0];
    if (sign === '[' || sign === '{') {
      if (sign === '{' && depth === 1) found.push(match.index);
      depth++;
    } else if (sign === ']' || sign === '}') depth--;
  }
  return found;
}
