// What stands on the page of one’s own account, in German.
import type { account as en } from '../en/account';

export const account = {
  'account.identities': 'Identitätsanbieter',
  'account.identities.hint': 'Melde dich mit einem Konto, das du dort hast, bei diesem selben Konto hier an.',
  'account.identities.insecure':
    'Browser erlauben das Verknüpfen nur über https oder auf dieser Maschine selbst. Öffne Fractal dafür unter einer https-Adresse.',
  'account.identities.link': '{name} verknüpfen',
  'account.identities.linked': 'Verknüpft',
  'account.identities.soon': 'Das geht bis 15 Minuten nach der Anmeldung.',
  'account.identities.unlink': 'Verknüpfung mit {name} lösen',
  'account.identities.unlink.action': 'Lösen',
  'account.identities.unlink.hint':
    'Niemand meldet sich hier mehr mit jenem Konto an. Offene Sitzungen gehen weiter, und es lässt sich wieder verknüpfen.',
  'account.identities.unlink.title': 'Verknüpfung mit {name} lösen?',
  'account.intro': 'Dein Name, dein Passwort und wie alles aussieht.',
  'account.password': 'Passwort',
  'account.password.current': 'Bisheriges Passwort',
  'account.password.new': 'Neues Passwort',
  'account.password.change': 'Ein neues Passwort beendet deine Sitzungen in allen anderen Browsern.',
  'account.password.none':
    'Du meldest dich über einen Identitätsanbieter an und hast noch kein Passwort. Mit einem kannst du dich auch mit deinem Benutzernamen anmelden; setzen lässt es sich bis 15 Minuten nach der Anmeldung.',
  'account.signInAgain': 'Neu anmelden',
  'account.signedInAs': 'Angemeldet als {name}, {role}.',
  'appearance.intro': 'Die Sprache gehört zu deinem Konto; die Farben gelten in diesem Browser.',
  'appearance.title': 'Sprache und Farben',
  'sessions.browserOn': '{browser} auf {system}',
  'sessions.current': 'Dieser hier',
  'sessions.end': 'Abmelden',
  'sessions.end.hint': 'Dieser Browser wird sofort abgemeldet.',
  'sessions.end.title': '{name} abmelden?',
  'sessions.ends': 'endet',
  'sessions.intro': 'Browser, in denen du angemeldet bist.',
  'sessions.unknown': 'Unbekannter Browser',
  'sessions.used': 'benutzt',
} satisfies Record<keyof typeof en, string>;
