// The wizard, in German.
import type { setup as en } from '../en/setup';

export const setup = {
  'persona.brief': 'Knapp',
  'persona.brief.text': 'Du antwortest knapp und genau. Zuerst die Fakten, kein Schmuck.',
  'persona.curious': 'Neugierig',
  'persona.curious.text':
    'Du bist neugierig. Du fragst nach, wenn etwas unklar ist, und bringst Ideen, auf die ich nicht gekommen bin.',
  'persona.friendly': 'Freundlich',
  'persona.friendly.text':
    'Du bist freundlich und geduldig. Du erklärst in einfachen Worten und gibst Beispiele.',
  'setup.agent.action': 'Zum Chat',
  'setup.agent.defaultName': 'Ada',
  'setup.agent.hint': 'Er bekommt einen eigenen, abgeschotteten Raum. Alles hier lässt sich später ändern.',
  'setup.agent.title': 'Dein erster Agent',
  'setup.claim.action': 'Konto anlegen',
  'setup.claim.hint':
    'Du wirst Inhaber dieser Installation. Dieses Konto geht immer, was du sonst auch einrichtest.',
  'setup.claim.title': 'Leg dein Konto an',
  'setup.continue': 'Weiter',
  'setup.firstMessage': 'Hallo! Wer bist du, und was kannst du?',
  'setup.oidc.hint':
    'Menschen können sich mit vorhandenen Konten anmelden (OpenID Connect). Geht auch jederzeit später.',
  'setup.oidc.open': 'Identitätsanbieter einrichten',
  'setup.oidc.skip': 'Passwörter genügen vorerst',
  'setup.oidc.title': 'Wie melden sich Menschen an?',
  'setup.provider.again': 'Erneut testen',
  'setup.provider.anyway': 'Trotzdem weiter',
  'setup.provider.demo': 'Weiter mit der Demo',
  'setup.provider.hint':
    'Dein Agent braucht ein Sprachmodell. Sieh dich gern erst mit der Demo um; ein Schlüssel kann später folgen.',
  'setup.provider.keep': 'Weiter mit {name}',
  'setup.provider.test': 'Speichern und testen',
  'setup.provider.title': 'Wähle einen Modellanbieter',
  'setup.ready.hint': 'Dein Agent ist schon da. Ein Klick, und du bist im Chat.',
  'setup.ready.title': 'Alles ist bereit',
  'setup.skip': 'Überspringen',
  'setup.step.agent': 'Agent',
  'setup.step.breakglass': 'Konto',
  'setup.step.oidc': 'Anmeldung',
  'setup.step.provider': 'Modell',
  'setup.steps': 'Schritte',
  'setup.title': 'Fractal einrichten',
  'setup.token': 'Einrichtungs-Token',
  'setup.token.hint':
    'Es steht auf dem Terminal, auf dem Fractal gestartet wurde, und beginnt mit frk_setup_.',
} satisfies Record<keyof typeof en, string>;
