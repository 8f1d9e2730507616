// The list of agents, and recent activity beside it, in German.
import type { instances as en } from '../en/instances';

export const instances = {
  'activity.all': 'Alle zeigen',
  'activity.intro': 'Was du getan hast und was mit dem geschah, das dir gehört.',
  'activity.none': 'Noch nichts. Was geschieht, steht sofort hier.',
  'activity.title': 'Letzte Ereignisse',
  'instances.all': 'Von allen',
  'instances.intro': 'Jeder Agent lebt in einem eigenen, abgeschotteten Raum.',
  'instances.lastActive': 'Zuletzt aktiv',
  'instances.new': 'Neuer Agent',
  'instances.new.action': 'Anlegen und starten',
  'instances.new.hint':
    'Er bekommt eigenen Raum, eigenes Gedächtnis und eigene Dateien und nutzt deine Agent-Einstellungen.',
  'instances.none': 'Noch keine Agenten',
  'instances.none.hint': 'Leg deinen ersten Agenten an; er startet in Sekunden.',
  'instances.noneFound': 'Kein Agent passt',
  'instances.own': 'Meine',
  'instances.search': 'Agenten suchen',
  'instances.whose': 'Wessen Agenten',
} satisfies Record<keyof typeof en, string>;
