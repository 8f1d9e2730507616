// States of an agent as people say them, in German.
import type { state as en } from '../en/state';

export const state = {
  'state.asleep': 'Schläft',
  'state.asleep.hint': 'Wacht mit der nächsten Nachricht auf',
  'state.busy': 'Arbeitet',
  'state.busy.hint': 'Es antwortet gerade',
  'state.crash_looping': 'Stürzt immer wieder ab',
  'state.crash_looping.hint': 'Nach mehreren Abstürzen angehalten',
  'state.deleting': 'Wird gelöscht',
  'state.deleting.hint': 'Gleich ist er weg',
  'state.failed': 'Fehlgeschlagen',
  'state.failed.hint': 'Er konnte nicht gestartet werden',
  'state.full': 'Platte voll',
  'state.full.hint': 'Angehalten, weil die Dateien mehr belegen, als sie dürfen',
  'state.pending': 'Wartet',
  'state.pending.hint': 'Wartet, bis er starten darf',
  'state.ready': 'Bereit',
  'state.ready.hint': 'Antwortet sofort',
  'state.starting': 'Startet',
  'state.starting.hint': 'In wenigen Sekunden bereit',
  'state.stopped': 'Angehalten',
  'state.stopped.hint': 'Jemand hat ihn angehalten; Nachrichten wecken ihn nicht',
  'state.stopping': 'Hält an',
  'state.stopping.hint': 'Er bringt zu Ende, was er tut',
  'state.unreachable': 'Nicht erreichbar',
  'state.unreachable.hint': 'Seine Maschine antwortet nicht; es wird weiter versucht',
} satisfies Record<keyof typeof en, string>;
