// People and invitations, in German.
import type { people as en } from '../en/people';

export const people = {
  'people.activate': 'Wieder anmelden lassen',
  'people.agents': '{n} Agent | {n} Agenten',
  'people.anybody': 'Wer den Link hat',
  'people.breakglass': 'Notfallkonto',
  'people.deactivate': 'Sperren',
  'people.deactivate.hint':
    'Die Person wird überall abgemeldet und kann sich nicht anmelden. Agenten und Daten bleiben. Du kannst sie wieder hereinlassen.',
  'people.deactivate.title': '{name} sperren?',
  'people.delete.hint':
    'Das Konto, seine Agenten und alles, was sie wissen, werden entfernt. Das lässt sich nicht rückgängig machen.',
  'people.delete.title': '{name} löschen?',
  'people.inactive': 'Gesperrt',
  'people.intro':
    'Wer diese Installation nutzen darf. Niemand hier kann fremde Chats oder Schlüssel lesen, auch du nicht.',
  'people.erase': 'Aus dem Protokoll löschen',
  'people.erase.action': 'Werte löschen',
  'people.erase.done': '{n} Wert gelöscht | {n} Werte gelöscht',
  'people.erase.hint':
    'Namen, Adressen, wie die Agenten heißen: Jeder Wert, den das Protokoll über diese Person und ihre Dinge enthält, wird endgültig gelöscht. Es bleibt, dass etwas getan wurde, wann, und unter der Kennung welches Kontos; das Protokoll prüft sich wie zuvor. Konto und Agenten bleiben unberührt, und was die Person von nun an tut, wird neu festgehalten.',
  'people.erase.title': 'Was das Protokoll über {name} sagt, löschen?',
  'people.invitations': 'Offene Einladungen',
  'people.invitations.hint': 'Jeder Link geht einmal.',
  'people.invite': 'Einladen',
  'people.invite.action': 'Link erzeugen',
  'people.invite.username': 'Leer lassen, damit sie selbst wählen.',
  'people.invited': 'Einladungslink',
  'people.invited.hint': 'Schick der Person diesen Link. Er geht einmal und wird nur jetzt gezeigt.',
  'people.noInvitations': 'Keine offenen Einladungen.',
  'people.resetPassword': 'Neues Passwort setzen',
  'people.resetPassword.hint':
    'Sag es persönlich; die Person sollte es nach der Anmeldung ändern. Sie wird überall abgemeldet.',
  'people.resetPassword.title': 'Neues Passwort für {name}',
  'people.revoke': 'Widerrufen',
  'people.revoke.hint': 'Der Link gilt sofort nicht mehr.',
  'people.revoke.title': 'Diese Einladung widerrufen?',
  'people.role': 'Rolle',
  'people.seen': 'zuletzt da',
} satisfies Record<keyof typeof en, string>;
