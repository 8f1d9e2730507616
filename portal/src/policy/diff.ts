// What lines came and went between two texts, as a reader wants them: changes with a little around them.

export interface DiffLine {
  sign: '+' | '-' | ' ';
  text: string;
  /** Where it stands: in the new text, or in the old one when it went. */
  line: number;
}

/** Lines that are the same on both sides of a change. */
const AROUND = 3;
/** Above this many comparisons the middle counts as replaced: a page must not stand still for it. */
const MOST = 4_000_000;

const linesOf = (text: string) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

export function diffLines(before: string, after: string): DiffLine[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const out: DiffLine[] = [];
  const keep = (j: number) => out.push({ sign: ' ', text: b[j] ?? '', line: j + 1 });
  const went = (i: number) => out.push({ sign: '-', text: a[i] ?? '', line: i + 1 });
  const came = (j: number) => out.push({ sign: '+', text: b[j] ?? '', line: j + 1 });
  for (let j = 0; j < start; j++) keep(j);
  const [n, m] = [a.length - end, b.length - end];
  // The longest common rest from every pair of places on.
  const width = m - start + 1;
  const small = (n - start) * (m - start) <= MOST;
  const rest = new Uint32Array(small ? (n - start + 1) * width : 0);
  const at = (i: number, j: number) => rest[(i - start) * width + (j - start)] ?? 0;
  if (small) {
    for (let i = n - 1; i >= start; i--) {
      for (let j = m - 1; j >= start; j--) {
        rest[(i - start) * width + (j - start)] =
          a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
      }
    }
  }
  let [i, j] = [start, start];
  while (i < n || j < m) {
    if (small && i < n && j < m && a[i] === b[j]) {
      keep(j);
      i++;
      j++;
    } else if (i < n && (j >= m || !small || at(i + 1, j) >= at(i, j + 1))) went(i++);
    else came(j++);
  }
  for (j = m; j < b.length; j++) keep(j);
  return out;
}

/** The changes with what is around them; a number stands for that many lines left out. */
export function folded(lines: DiffLine[]): (DiffLine | number)[] {
  const shown = lines.map((_, i) =>
    lines.slice(Math.max(0, i - AROUND), i + AROUND + 1).some((one) => one.sign !== ' '),
  );
  const out: (DiffLine | number)[] = [];
  for (const [i, line] of lines.entries()) {
    const last = out.at(-1);
    if (shown[i]) out.push(line);
    else if (typeof last === 'number') out[out.length - 1] = last + 1;
    else out.push(1);
  }
  return out;
}
