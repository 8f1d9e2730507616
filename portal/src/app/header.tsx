// Lets a page put its title and state into the header of the frame.
import { type ReactNode, useSyncExternalStore } from 'react';
import { createPortal } from 'react-dom';

let target: HTMLElement | null = null;
const listeners = new Set<() => void>();

function setTarget(element: HTMLElement | null) {
  target = element;
  for (const listener of listeners) listener();
}

function Target() {
  return <div ref={setTarget} style={{ display: 'contents' }} />;
}

function Content({ children }: { children: ReactNode }) {
  const element = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => target,
  );
  return element ? createPortal(children, element) : null;
}

export const HeaderSlot = { Target, Content };
