// What every page says, and what goes wrong anywhere, in German.
import type { common as en } from '../en/common';

export const common = {
  'common.cancel': 'Abbrechen',
  'common.close': 'Schließen',
  'common.copied': 'Kopiert',
  'common.copy': 'Kopieren',
  'common.copyFailed': 'Kopieren ging nicht. Markiere es von Hand.',
  'common.copyId': 'Ganzen Wert kopieren',
  'common.delete': 'Löschen',
  'common.dismiss': 'Schließen',
  'common.edit': 'Bearbeiten',
  'common.id': 'Kennung',
  'common.loading': 'Lädt',
  'common.name': 'Name',
  'common.never': 'nie',
  'common.reload': 'Neu laden',
  'common.rename': 'Umbenennen',
  'common.save': 'Speichern',
  'common.saved': 'Ich habe es gesichert',
  'common.savedNow': 'Gespeichert',
  'common.tryAgain': 'Nochmals versuchen',
  'notFound.action': 'Zurück zum Chat',
  'notFound.hint': 'Die Adresse führt nirgendwohin. Vielleicht wurde es gelöscht.',
  'notFound.title': 'Hier ist nichts',
} satisfies Record<keyof typeof en, string>;
