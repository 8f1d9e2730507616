// The rooms of the catalogue: words that are loaded together, in one language. The first comes before anything is drawn;
// every other comes along with the pages that need it (`app/pages.ts`), and a test walks those pages to see that it suffices.

/** Both languages of a room. One that lacks a noun or a key of the other's does not compile. */
function room<M>(
  en: () => Promise<M>,
  de: () => Promise<{ [Noun in keyof M]: Record<keyof M[Noun], string> }>,
) {
  return { en, de };
}

export const ROOMS = {
  first: room(
    () => import('./rooms/first.en'),
    () => import('./rooms/first.de'),
  ),
  gate: room(
    () => import('./rooms/gate.en'),
    () => import('./rooms/gate.de'),
  ),
  setup: room(
    () => import('./rooms/setup.en'),
    () => import('./rooms/setup.de'),
  ),
  instances: room(
    () => import('./rooms/instances.en'),
    () => import('./rooms/instances.de'),
  ),
  evidence: room(
    () => import('./rooms/evidence.en'),
    () => import('./rooms/evidence.de'),
  ),
  settings: room(
    () => import('./rooms/settings.en'),
    () => import('./rooms/settings.de'),
  ),
  rules: room(
    () => import('./rooms/rules.en'),
    () => import('./rooms/rules.de'),
  ),
  proposals: room(
    () => import('./rooms/proposals.en'),
    () => import('./rooms/proposals.de'),
  ),
  operations: room(
    () => import('./rooms/operations.en'),
    () => import('./rooms/operations.de'),
  ),
  incidents: room(
    () => import('./rooms/incidents.en'),
    () => import('./rooms/incidents.de'),
  ),
  webhooks: room(
    () => import('./rooms/webhooks.en'),
    () => import('./rooms/webhooks.de'),
  ),
};

export type Room = keyof typeof ROOMS;
type Nouns = { [R in Room]: Awaited<ReturnType<(typeof ROOMS)[R]['en']>> }[Room];
type KeysOf<M> = M extends unknown ? { [Noun in keyof M]: keyof M[Noun] }[keyof M] : never;

/** Every key of every room. */
export type Key = KeysOf<Nouns>;
