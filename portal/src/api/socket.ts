// Event streams over one WebSocket. Over HTTP/1.1 a browser opens six connections to a host for all its tabs together, and every
// stream by itself keeps one; a socket is not counted among them. Where none can be opened (a proxy that does not pass it on), each
// stream goes by itself, and the socket is tried again later.
import { refusal } from './client';
import { ApiProblem, offline } from './problem';
import { type SseEvent, SseParser } from './sse';
import type { LiveMessage, LiveRequest } from './types';

/** Milliseconds a socket may take to open. */
const PATIENCE = 10_000;
/** Milliseconds until a socket is tried again after one could not be opened. */
const AGAIN = 60_000;
/** Milliseconds an unused socket is kept: streams are often left for others. */
const KEEP = 5_000;

/** What a stream hears, in order. */
interface Ear {
  opened(): void;
  text(text: string): void;
  /** No more comes, and why: refused, ended by the server (nothing), or the socket was lost. */
  over(problem?: ApiProblem): void;
}

let socket: Promise<WebSocket> | undefined;
let notBefore = 0;
let numbers = 0;
const ears = new Map<number, Ear>();
let unused: ReturnType<typeof setTimeout> | undefined;

let isOpen = false;

/** A stream that could not go by the socket was opened by itself: so the server is there, and something takes sockets off. */
export function goWithoutSocket(): void {
  notBefore = Date.now() + AGAIN;
}

/** Whether a stream can change to the socket without waiting for it. */
export function socketIsOpen(): boolean {
  return isOpen;
}

function connect(): Promise<WebSocket> {
  clearTimeout(unused);
  socket ??= new Promise<WebSocket>((resolve, reject) => {
    const address = new URL('/api/v1/live', window.location.href);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const made = new WebSocket(address);
    const late = setTimeout(() => made.close(), PATIENCE);
    made.onopen = () => {
      isOpen = true;
      clearTimeout(late);
      resolve(made);
    };
    made.onmessage = (message) => hear(JSON.parse(String(message.data)) as LiveMessage);
    made.onclose = () => {
      clearTimeout(late);
      socket = undefined;
      if (!isOpen) reject(offline());
      isOpen = false;
      const lost = [...ears.values()];
      ears.clear();
      for (const ear of lost) ear.over(offline());
    };
  });
  return socket;
}

function hear(message: LiveMessage): void {
  const ear = ears.get(message.stream);
  // One that was left meanwhile.
  if (!ear) return;
  if (message.type === 'opened') ear.opened();
  else if (message.type === 'text') ear.text(message.text);
  else {
    leave(message.stream);
    ear.over(message.type === 'refused' ? refusal(new ApiProblem(message.problem)) : undefined);
  }
}

function leave(stream: number): void {
  ears.delete(stream);
  if (ears.size > 0) return;
  clearTimeout(unused);
  unused = setTimeout(() => {
    if (ears.size === 0) void socket?.then((made) => made.close()).catch(() => {});
  }, KEEP);
}

/**
 * Opens a stream over the socket; resolves with its events when the server has opened it, rejects with what the server refused with.
 * `undefined`: there is no socket to be had, and the stream has to go by itself.
 */
export async function overSocket(
  path: string,
  last: string | undefined,
  signal: AbortSignal,
): Promise<AsyncIterable<SseEvent> | undefined> {
  if (typeof WebSocket === 'undefined' || Date.now() < notBefore) return undefined;
  let made: WebSocket;
  try {
    made = await connect();
  } catch {
    return undefined;
  }
  signal.throwIfAborted();
  numbers += 1;
  const stream = numbers;
  const tell = (request: LiveRequest) => {
    if (made.readyState === WebSocket.OPEN) made.send(JSON.stringify(request));
  };
  const parser = new SseParser();
  const queue: SseEvent[] = [];
  let over: { problem: ApiProblem | undefined } | undefined;
  let wake = () => {};
  let opened: () => void = () => {};
  let refused: (problem: unknown) => void = () => {};
  const opening = new Promise<void>((resolve, reject) => {
    opened = resolve;
    refused = reject;
  });
  ears.set(stream, {
    opened,
    text: (text) => {
      queue.push(...parser.feed(text));
      wake();
    },
    over: (problem) => {
      over = { problem };
      refused(problem ?? offline());
      wake();
    },
  });
  const abort = () => {
    if (ears.has(stream)) tell({ type: 'close', stream });
    leave(stream);
    over ??= { problem: undefined };
    refused(signal.reason);
    wake();
  };
  signal.addEventListener('abort', abort);
  tell({ type: 'open', stream, path, last_event_id: last ?? null });
  try {
    await opening;
  } catch (error) {
    signal.removeEventListener('abort', abort);
    throw error;
  }
  return (async function* () {
    try {
      for (;;) {
        for (let event = queue.shift(); event; event = queue.shift()) {
          if (signal.aborted) return;
          yield event;
        }
        if (over?.problem) throw over.problem;
        if (over || signal.aborted) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener('abort', abort);
      if (ears.has(stream)) {
        tell({ type: 'close', stream });
        leave(stream);
      }
    }
  })();
}
