// Skills of an agent and their credentials, in German.
import type { skills as en } from '../en/skills';

export const skills = {
  'skillState.active': 'bereit',
  'skillState.inactive': 'abgeschaltet',
  'skillState.needs_credentials': 'braucht Zugangsdaten',
  'skillState.not_available': 'hier nicht möglich',
  'skills.agent': 'Agent',
  'skills.asleep': 'Der Agent schläft',
  'skills.asleep.hint':
    'Was seine Fähigkeiten können, weiß man, sobald er wach ist. Was du jetzt speicherst, bekommt er beim Start.',
  'skills.delete.hint':
    'Laufende Agenten verlieren es sofort, schlafende beim nächsten Start. Hat dein Agent es vielleicht jemandem gezeigt, ersetze es auch beim Dienst.',
  'skills.delete.title': '{name} löschen?',
  'skills.intro':
    'Was dein Agent mit welchem Dienst kann. Manche Fähigkeiten brauchen Zugangsdaten von dir. Anders als die Schlüssel der Modellanbieter, die den Server nie verlassen, kommen diese in den Bereich deines Agenten: das Programm der Fähigkeit braucht sie, also kann dein Agent sie lesen. Sonst zeigt Fractal sie niemandem, auch keinen Verwaltern. Einen eigenen Weg ins Internet hat dein Agent noch nicht; Fähigkeiten, die einen Dienst aufrufen, warten darauf.',
  'skills.lacks.anyBins': 'braucht eines der Programme {names}',
  'skills.lacks.bins': 'braucht das Programm {names}',
  'skills.lacks.config': 'braucht die Einstellung {names}',
  'skills.lacks.env': 'braucht {names}',
  'skills.lacks.os': 'läuft nur unter {names}',
  'skills.list': 'Fähigkeiten deines Agenten',
  'skills.more': 'Mehr dazu',
  'skills.noAgent': 'Du hast noch keinen Agenten',
  'skills.none': 'Dieser Agent hat keine Fähigkeiten',
  'skills.replace': 'Ersetzen',
  'skills.skill': 'Fähigkeit',
  'skills.store': 'Zugangsdaten speichern',
  'skills.stored': 'Gespeicherte Zugangsdaten',
  'skills.stored.hint':
    'Sie liegen verschlüsselt und werden allen deinen Agenten gegeben. Ein Wert wird nie wieder gezeigt.',
  'skills.stored.none': 'Nichts ist gespeichert.',
  'skills.value': 'Wert',
  'skills.value.hint': 'Er geht an deine Agenten und wird nicht wieder gezeigt.',
  'skills.variable': 'Variable',
  'skills.variable.hint': 'Großbuchstaben, Ziffern und Unterstriche, etwa TRELLO_TOKEN.',
  'skills.wake': 'Aufwecken',
} satisfies Record<keyof typeof en, string>;
