// How an agent is set up: its model, persona, tools and rhythm, in German.
import type { agent as en } from '../en/agent';

export const agent = {
  'agent.aboutMe': 'Über dich',
  'agent.aboutMe.hint': 'Was dein Agent über dich wissen soll.',
  'agent.cron': 'Darf selbst Termine für Arbeit setzen',
  'agent.cron.hint': 'Erinnerungen und wiederkehrende Aufgaben; er wacht dafür auf.',
  'agent.heartbeat': 'Minuten zwischen zwei Herzschlägen',
  'agent.heartbeat.hint':
    'Bei jedem Herzschlag schaut der Agent von selbst, ob etwas zu tun ist. 0 für keine. Verbraucht Tokens.',
  'agent.idle': 'Minuten bis zum Einschlafen',
  'agent.idle.hint': 'Ein Agent, den niemand braucht, schläft ein und wacht mit der nächsten Nachricht auf.',
  'agent.intro':
    'Wie dein Agent ist, welches Modell er nutzt und was er darf. Änderungen gelten ab der nächsten Nachricht.',
  'agent.model': 'Modell',
  'agent.name': 'Name des Agenten',
  'agent.noProvider': 'Es gibt noch keinen Modellanbieter.',
  'agent.persona': 'Persönlichkeit',
  'agent.persona.hint': 'Wie er sein soll, in deinen Worten.',
  'agent.rhythm': 'Rhythmus',
  'agent.tools': 'Werkzeuge',
  'agent.tools.hint':
    'Was du auch wählst: er arbeitet in seiner eigenen Sandbox und erreicht deinen Rechner nicht.',
  'tools.ask': 'Dateien und Befehle, mit Rückfrage',
  'tools.ask.hint': 'Vor jedem Befehl fragt er dich im Chat.',
  'tools.full': 'Dateien und Befehle',
  'tools.full.hint': 'In seiner Sandbox, ohne zu fragen.',
  'tools.none': 'Nur reden',
  'tools.none.hint': 'Keine Dateien, keine Befehle.',
} satisfies Record<keyof typeof en, string>;
