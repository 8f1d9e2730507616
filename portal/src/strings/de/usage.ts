// What was used, in German.
import type { usage as en } from '../en/usage';

export const usage = {
  'usage.all': 'Alle',
  'usage.calls': 'Aufrufe',
  'usage.day': 'Tag',
  'usage.days': '{n} Tage',
  'usage.failed': 'Fehlgeschlagen',
  'usage.in': 'Tokens hinein',
  'usage.intro': 'Was deine Agenten verbraucht haben, nach Tag (UTC) und Modell.',
  'usage.none': 'Noch nichts verbraucht',
  'usage.none.hint': 'Die erste Nachricht erscheint hier.',
  'usage.out': 'Tokens heraus',
  'usage.period': 'Zeitraum',
} satisfies Record<keyof typeof en, string>;
