import { expect, test } from 'vitest';
import { type SseEvent, SseParser } from './sse';

const TEXT =
  ': hello\n\nevent: delta\nid: 1\ndata: {"text":"ä"}\n\nid: 2\r\ndata: a\r\ndata: b\r\n\r\ndata\n\nretry: 5\n\n';
const WANTED: SseEvent[] = [
  { event: 'delta', data: '{"text":"ä"}', id: '1' },
  { event: 'message', data: 'a\nb', id: '2' },
  { event: 'message', data: '', id: '2' },
];

test('events are the same wherever the stream is cut', () => {
  for (let size = 1; size <= TEXT.length; size++) {
    const parser = new SseParser();
    const found: SseEvent[] = [];
    for (let at = 0; at < TEXT.length; at += size) found.push(...parser.feed(TEXT.slice(at, at + size)));
    expect(found, `cut every ${size}`).toEqual(WANTED);
  }
});

test('an event without its empty line is not given out', () => {
  expect(new SseParser().feed('data: half')).toEqual([]);
  expect(new SseParser().feed('data: half\n')).toEqual([]);
});

test('one space after the colon is taken off, and only one', () => {
  expect(new SseParser().feed('data:  x:y\n\n')[0]?.data).toBe(' x:y');
});

test('a byte order mark at the start is no part of the first field', () => {
  expect(new SseParser().feed('\uFEFFdata: x\n\n')[0]?.data).toBe('x');
});
