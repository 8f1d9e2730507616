// What happens, as it happens: one stream for the whole Portal. Lists that an entry concerns are asked anew, and the latest
// entries are remembered for the pages that show them.
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { api } from './client';
import { type Place, useLive } from './live';
import { queryClient } from './queries';
import { touched } from './touched';
import type { EvidenceHead, EvidenceView, Me } from './types';

/** Entries before now that are looked through for what concerns somebody who may not read the log. */
const LOOK_BACK = 200;
/** Those who may read it ask for what was before; a few make sure that nothing falls between asking and following. */
const OVERLAP = 10;
export const MOST_RECENT = 200;
/** Milliseconds in which entries are gathered: they come in bursts, and a list need be asked only once. */
const GATHER = 100;

const watchers = new Set<() => void>();
let recent: readonly EvidenceView[] = [];

function remember(entry: EvidenceView): void {
  // A stream that went on from an earlier place tells some entries twice.
  if (recent.some((one) => one.seq === entry.seq)) return;
  recent = [entry, ...recent].sort((a, b) => b.seq - a.seq).slice(0, MOST_RECENT);
  for (const watcher of watchers) watcher();
}

let gathered = new Map<string, readonly string[]>();
function renew(entry: EvidenceView, me: string): void {
  if (gathered.size === 0) {
    setTimeout(() => {
      const keys = gathered;
      gathered = new Map();
      for (const queryKey of keys.values()) void queryClient.invalidateQueries({ queryKey });
    }, GATHER);
  }
  for (const key of touched(entry, me)) gathered.set(key.join('\n'), key);
}

/** Keeps the stream of whoever is signed in; the frame holds it, once. */
export function useHappeningStream(me: Me | undefined): void {
  const place = useRef<Place['current']>(undefined);
  const begun = useRef(0);
  const [path, setPath] = useState<string | undefined>();
  const id = me?.id;
  const back = me?.permissions.includes('evidence.view') ? OVERLAP : LOOK_BACK;
  useEffect(() => {
    if (!id) return;
    let left = false;
    recent = [];
    for (const watcher of watchers) watcher();
    void api
      .get<EvidenceHead>('/api/v1/evidence/checkpoint')
      .then(
        (head) => {
          begun.current = head.size;
          place.current = String(Math.max(0, head.size - back));
        },
        // Then it begins with what comes next.
        () => {},
      )
      .then(() => {
        if (!left) setPath('/api/v1/events');
      });
    return () => {
      left = true;
      setPath(undefined);
    };
  }, [id, back]);
  useLive(
    path,
    (event) => {
      if (event.event !== 'evidence' || !id) return;
      const entry = JSON.parse(event.data) as EvidenceView;
      remember(entry);
      if (entry.seq > begun.current) renew(entry, id);
    },
    { place },
  );
}

/** The latest entries that the stream told, newest first. */
export function useRecent(): readonly EvidenceView[] {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => recent,
  );
}
