// Where messages are written, in German.
import type { composer as en } from '../en/composer';

export const composer = {
  'composer.asleep': 'Schreib an {agent}; er wacht dafür auf',
  'composer.attach': 'Dateien anhängen',
  'composer.filesOnly': 'Bitte sieh dir diese Dateien an.',
  'composer.keys': 'Enter sendet, Umschalt+Enter bricht die Zeile um',
  'composer.label': 'Nachricht',
  'composer.placeholder': 'Schreib an {agent}',
  'composer.remove': '{name} entfernen',
  'composer.send': 'Senden',
  'composer.stop': 'Anhalten',
  'composer.tooLarge': '{name} ist größer als 20 MB.',
  'composer.unreadable': '{name} konnte nicht gelesen werden.',
  'composer.wrongType': '{name} ist weder Bild noch Text.',
} satisfies Record<keyof typeof en, string>;
