// The actions that rules may name, read from the schema of the release.

export interface ActionOf {
  name: string;
  /** Nouns as the API has them, like `api_token`. */
  kinds: string[];
}

/** Things that belong to somebody. */
const OWNED = [
  'instance',
  'provider',
  'profile',
  'skill_credential',
  'api_token',
  'browser_session',
  'usage',
  'user',
  'operation',
  'incident',
];
export const isOwned = (kind: string) => OWNED.includes(kind);
/** Only these have a role: of a person, or what an invitation gives. */
export const hasRole = (kind: string) => kind === 'user' || kind === 'invitation';

const noun = (type: string) => type.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
const words = (list: string) =>
  list
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean);

/** What people may be asked about, sorted; what only gateways do is left out. */
export function actionsOf(schema: string): ActionOf[] {
  const text = schema.replace(/\/\/.*$/gm, '');
  const found = new Map<string, ActionOf>();
  for (const [, names = '', body = ''] of text.matchAll(
    /\baction\s+("[^;]*?")\s*(?=in\b|appliesTo\b)([^;]*);/g,
  )) {
    const principals = words(/principal:\s*\[([^\]]*)\]/.exec(body)?.[1] ?? '');
    const kinds = words(/resource:\s*\[([^\]]*)\]/.exec(body)?.[1] ?? '').map(noun);
    if (!principals.includes('User') || kinds.length === 0) continue;
    for (const [, name = ''] of names.matchAll(/"([^"]+)"/g)) found.set(name, { name, kinds });
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}
