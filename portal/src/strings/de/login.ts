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
  'login.refused.address-refused': 'Der Identitätsanbieter liegt an einer Adresse, die nicht erlaubt ist',
  'login.refused.address-refused.remedy':
    'Melde dich mit dem Passwort an. Ein Administrator kann ein privates Netz in den Einstellungen unter Anmeldung erlauben: „Es ist auf dieser Maschine oder in einem privaten Netz“.',
  'login.refused.cancelled': 'Du hast beim Identitätsanbieter abgebrochen',
  'login.refused.cancelled.remedy': 'Versuche es nochmals, oder melde dich anders an.',
  'login.refused.client-refused':
    'Der Identitätsanbieter nimmt Client-ID und Client-Geheimnis dieser Installation nicht an',
  'login.refused.client-refused.remedy':
    'Ein Administrator muss sie in den Einstellungen unter Anmeldung berichtigen.',
  'login.refused.clock': 'Die Antwort des Identitätsanbieters ist abgelaufen oder liegt in der Zukunft',
  'login.refused.clock.remedy':
    'Versuche es nochmals. Bleibt es so, muss ein Administrator die Uhren beider Maschinen vergleichen.',
  'login.refused.code-refused': 'Der Identitätsanbieter nimmt diese Anmeldung nicht mehr an',
  'login.refused.code-refused.remedy': 'Beginne von vorn.',
  'login.refused.declined': 'Der Identitätsanbieter hat es abgelehnt zu beginnen',
  'login.refused.declined.remedy':
    'Ein Administrator muss dort Client-ID, Rücksprungadresse und Scopes prüfen.',
  'login.refused.link-over': 'Die Sitzung, in der du mit dem Verknüpfen begonnen hast, ist vorbei',
  'login.refused.link-over.remedy': 'Melde dich an und beginne von vorn in den Einstellungen unter Konto.',
  'login.refused.link-stale': 'Verknüpft wird nur kurz nach einer Anmeldung',
  'login.refused.link-stale.remedy':
    'Melde dich ab und wieder an und verknüpfe dann innerhalb von 15 Minuten.',
  'login.refused.linked-elsewhere': 'Diese Identität ist hier mit einem anderen Konto verknüpft',
  'login.refused.linked-elsewhere.remedy':
    'Wähle beim Identitätsanbieter eine andere, oder frage einen Administrator.',
  'login.refused.no-account': 'Mit dieser Identität ist hier kein Konto verknüpft',
  'login.refused.no-account.remedy':
    'Bitte einen Administrator um eine Einladung. Hast du ein Konto, melde dich an und verknüpfe es in den Einstellungen unter Konto.',
  'login.refused.no-free-name': 'Für dich wurde kein freier Benutzername gefunden',
  'login.refused.no-free-name.remedy': 'Bitte einen Administrator um eine Einladung.',
  'login.refused.no-id-token': 'Der Identitätsanbieter sagt nicht, wer du bist',
  'login.refused.no-id-token.remedy':
    'Ein Administrator muss einen wählen, der OpenID Connect kann, nicht nur OAuth.',
  'login.refused.not-begun':
    'Diese Anmeldung wurde nicht in diesem Browser begonnen oder hat länger als zehn Minuten gedauert',
  'login.refused.not-begun.remedy': 'Beginne von vorn.',
  'login.refused.not-described':
    'Der Identitätsanbieter beschreibt sich unter der Adresse des Ausstellers nicht',
  'login.refused.not-described.remedy':
    'Ein Administrator muss sie in den Einstellungen unter Anmeldung berichtigen.',
  'login.refused.not-understood': 'Die Antwort des Identitätsanbieters ist nicht zu verstehen',
  'login.refused.not-understood.remedy': 'Versuche es nochmals. Bleibt es so, sag es einem Administrator.',
  'login.refused.other-client': 'Die Antwort des Identitätsanbieters gilt jemand anderem',
  'login.refused.other-client.remedy':
    'Ein Administrator muss die Client-ID in den Einstellungen unter Anmeldung prüfen.',
  'login.refused.other-issuer': 'Die Antwort kommt von einem anderen Aussteller als dem in den Einstellungen',
  'login.refused.other-issuer.remedy':
    'Ein Administrator muss die genaue Schreibweise der Ausstelleradresse prüfen.',
  'login.refused.other-sign-in': 'Die Antwort des Identitätsanbieters gehört zu einer anderen Anmeldung',
  'login.refused.other-sign-in.remedy': 'Beginne von vorn.',
  'login.refused.unreachable': 'Der Identitätsanbieter antwortet nicht',
  'login.refused.unreachable.remedy': 'Versuche es später, oder melde dich mit dem Passwort an.',
  'login.refused.wrong-signature': 'Die Antwort ist nicht vom Identitätsanbieter unterschrieben',
  'login.refused.wrong-signature.remedy': 'Niemand wurde angemeldet. Sag es einem Administrator.',
  'login.signedIn': 'Du bist weiterhin als {name} angemeldet.',
  'login.signedIn.again': 'Ab- und wieder anmelden',
  'login.signedIn.back': 'Zurück',
  'login.title': 'Anmelden',
  'login.username': 'Benutzername',
  'login.with': 'Weiter mit {name}',
  'password.hint': 'Mindestens 12 Zeichen. Mehrere Wörter sind gut.',
  'password.short': 'Mindestens 12 Zeichen.',
  'username.hint': 'Kleinbuchstaben, Ziffern, Punkt, Strich oder Unterstrich.',
} satisfies Record<keyof typeof en, string>;
