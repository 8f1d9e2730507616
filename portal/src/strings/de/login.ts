// Signing in, and accepting an invitation, in German.
import type { login as en } from '../en/login';

export const login = {
  'invitation.action': 'Konto anlegen',
  'invitation.hint': 'Du wurdest eingeladen. Wähle, wie du dich anmeldest.',
  'invitation.title': 'Willkommen bei Fractal',
  'invitation.token': 'Einladung',
  'invitation.token.hint': 'Der Link, den du bekommen hast, oder der Teil nach dem #.',
  'login.action': 'Anmelden',
  'login.displayName': 'Angezeigter Name',
  'login.or': 'oder mit Passwort',
  'login.password': 'Passwort',
  'login.title': 'Anmelden',
  'login.username': 'Benutzername',
  'login.with': 'Weiter mit {name}',
  'password.hint': 'Mindestens 12 Zeichen. Mehrere Wörter sind gut.',
  'password.short': 'Mindestens 12 Zeichen.',
  'username.hint': 'Kleinbuchstaben, Ziffern, Punkt, Strich oder Unterstrich.',
} satisfies Record<keyof typeof en, string>;
