// Streams that mend themselves: reconnect with growing pauses, resume at the last event, and tell the frame
// while a connection is lost.
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { send } from './client';
import { ApiProblem, OFFLINE } from './problem';
import { goWithoutSocket, overSocket } from './socket';
import { events, type SseEvent } from './sse';

const lost = new Set<symbol>();
const listeners = new Set<() => void>();

export function markLost(key: symbol, isLost: boolean): void {
  const before = lost.size;
  if (isLost) lost.add(key);
  else lost.delete(key);
  if (before !== lost.size) for (const listener of listeners) listener();
}

/** Whether any stream is waiting to be connected again. */
export function useConnectionLost(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => lost.size > 0,
  );
}

/** Milliseconds to wait before try `n` (from 0): doubling from half a second to ten, with some spread. */
export function backoff(n: number, spread = Math.random()): number {
  return Math.min(10_000, 500 * 2 ** Math.min(n, 10)) * (0.75 + spread / 2);
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      window.removeEventListener('online', done);
      resolve();
    }
    signal.addEventListener('abort', done);
    window.addEventListener('online', done);
  });
}

/** Worth another try: nobody answered, or the server said that it cannot right now. */
export function isTransient(error: unknown): boolean {
  return (
    !(error instanceof ApiProblem) || error.code === OFFLINE || error.status >= 500 || error.status === 429
  );
}

/** Opens an event stream, after the event of this id where there is one. */
export async function openStream(
  path: string,
  last: string | undefined,
  signal: AbortSignal,
): Promise<AsyncIterable<SseEvent>> {
  const over = await overSocket(path, last, signal);
  if (over) return over;
  const headers: Record<string, string> = { accept: 'text/event-stream' };
  if (last !== undefined) headers['last-event-id'] = last;
  const response = await send('GET', path, undefined, { headers, signal });
  goWithoutSocket();
  return events(response);
}

/** Where a stream goes on: the id of the last event that was read. */
export interface Place {
  current: string | undefined;
}

/** Follows a GET stream until the signal aborts or the server refuses for good. */
export async function follow(
  path: string,
  onEvent: (event: SseEvent) => void,
  signal: AbortSignal,
  place: Place = { current: undefined },
  onOpen: () => void = () => {},
): Promise<void> {
  const key = Symbol(path);
  let tries = 0;
  try {
    while (!signal.aborted) {
      try {
        const stream = await openStream(path, place.current, signal);
        markLost(key, false);
        onOpen();
        for await (const event of stream) {
          tries = 0;
          place.current = event.id ?? place.current;
          onEvent(event);
        }
      } catch (error) {
        if (signal.aborted || !isTransient(error)) return;
        // One lost try is no news; a second in a row is.
        if (tries >= 1) markLost(key, true);
      }
      await pause(backoff(tries), signal);
      tries += 1;
    }
  } finally {
    markLost(key, false);
  }
}

/**
 * Follows a stream while the component is there; a new path is a new stream, none is none. With a place it goes on
 * there, also when the tab comes back from being hidden; without one it begins anew then, and `onAgain` is called, because
 * something may have been missed.
 *
 * A hidden tab lets go of its streams: nobody looks, and where streams go by themselves a browser opens six connections to a
 * host for all tabs together, so that forgotten tabs would starve the one in front.
 */
export function useLive(
  path: string | undefined,
  onEvent: (event: SseEvent) => void,
  { place, onAgain }: { place?: Place; onAgain?: () => void } = {},
): void {
  const handler = useRef(onEvent);
  handler.current = onEvent;
  const again = useRef(onAgain);
  again.current = onAgain;
  useEffect(() => {
    if (!path) return;
    let leave: AbortController | undefined;
    let opened = false;
    const onOpen = () => {
      if (opened) again.current?.();
      opened = true;
    };
    const sync = () => {
      if (document.hidden) {
        leave?.abort();
        leave = undefined;
      } else if (!leave) {
        leave = new AbortController();
        void follow(path, (event) => handler.current(event), leave.signal, place, onOpen);
      }
    };
    sync();
    document.addEventListener('visibilitychange', sync);
    return () => {
      document.removeEventListener('visibilitychange', sync);
      leave?.abort();
    };
  }, [path, place]);
}
