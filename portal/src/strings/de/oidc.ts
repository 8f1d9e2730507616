// Identity providers, in German.
import type { oidc as en } from '../en/oidc';

export const oidc = {
  'oidc.add': 'Identitätsanbieter hinzufügen',
  'oidc.autoProvision': 'Unbekannte bekommen ein Konto',
  'oidc.autoProvision.hint': 'Als Mitglieder. Sonst können sich nur Eingeladene anmelden.',
  'oidc.clientId': 'Client-ID',
  'oidc.clientSecret': 'Client-Geheimnis',
  'oidc.clientSecret.hint': 'Leer lassen für einen öffentlichen Client.',
  'oidc.clientSecret.stored': 'Eines ist gespeichert. Gib ein neues ein, um es zu ersetzen.',
  'oidc.delete.hint':
    'Menschen können sich nicht mehr darüber anmelden. Konten bleiben; wer kein Passwort hat, braucht eines.',
  'oidc.delete.title': '{name} löschen?',
  'oidc.disabled': 'Aus',
  'oidc.enabled': 'Menschen dürfen sich darüber anmelden',
  'oidc.intro':
    'Lass Menschen sich mit ihren vorhandenen Konten anmelden. Die Passwort-Anmeldung des ersten Administrators geht immer.',
  'oidc.issuer': 'Adresse des Ausstellers',
  'oidc.issuer.hint': 'Zum Beispiel https://login.example.org',
  'oidc.name.hint': 'Wie es auf der Schaltfläche steht.',
  'oidc.none': 'Bisher nur Passwörter',
  'oidc.none.hint': 'Füge einen OpenID-Connect-Anbieter hinzu, etwa Keycloak, Authentik, Entra oder Google.',
  'oidc.private.refused':
    'Die Adresse liegt in einem privaten Netz oder ist unverschlüsselt, und das ist noch nicht erlaubt. Nimm https, oder schalte „{setting}“ ein.',
  'oidc.private.remedy':
    'Prüfe sie. Soll der Identitätsanbieter dort liegen, bearbeite ihn und schalte „{setting}“ ein.',
  'oidc.redirect': 'Dort einzutragende Rücksprungadresse:',
} satisfies Record<keyof typeof en, string>;
