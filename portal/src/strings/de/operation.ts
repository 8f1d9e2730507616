// Operations: work of several steps, each of which can be taken back, in German.
import type { operation as en } from '../en/operation';

export const operation = {
  'operation.all': 'Von allen',
  'operation.askedBy': 'veranlasst von {name}',
  'operation.askedByYou': 'von dir veranlasst',
  'operation.at': 'Schritt {n} von {of}: {step}',
  'operation.at.back': 'Auf dem Rückweg, bei Schritt {n} von {of}: {step}',
  'operation.at.done': 'Alle {n} Schritte erledigt | Alle {n} Schritte erledigt',
  'operation.at.skipped':
    '{done} von {of} Schritten erledigt, {n} übersprungen | {done} von {of} Schritten erledigt, {n} übersprungen',
  'operation.at.none': 'Nicht begonnen, {n} Schritt | Nicht begonnen, {n} Schritte',
  'operation.banner': 'An {name} wird gearbeitet',
  'operation.banner.hint':
    'Bis das vorbei ist, kann der Agent nicht gestartet, angehalten, neu gestartet oder gelöscht werden.',
  'operation.banner.stuck': 'Die Arbeit an {name} steckt fest',
  'operation.by': 'Veranlasst von',
  'operation.byYou': 'Du',
  'operation.cancel': 'Vorgang abbrechen',
  'operation.cancel.hint':
    'Der Schritt, der gerade läuft, kommt erst zu seinem Ende. Dann wird zurückgenommen, was getan wurde, der letzte Schritt zuerst, bis alles ist wie vorher.',
  'operation.cancel.keep': 'Weiterlaufen lassen',
  'operation.cancel.pending':
    'Er hat noch nicht begonnen, es gibt also nichts zurückzunehmen: Er findet einfach nicht statt.',
  'operation.cancel.title': 'Diesen Vorgang abbrechen?',
  'operation.cancelledBy': 'Abgebrochen von {name}',
  'operation.cancelling':
    'Der Schritt, der gerade läuft, kommt erst zu seinem Ende. Dann wird zurückgenommen, was getan wurde.',
  'operation.created': 'Veranlasst',
  'operation.engine': 'Engine',
  'operation.engine.becomes': 'wird zu',
  'operation.follow': 'Vorgang zeigen',
  'operation.input': 'Was er bekommen hat',
  'operation.intro':
    'Arbeit in mehreren Schritten. Misslingt einer, wird zurückgenommen, was getan wurde, der letzte zuerst.',
  'operation.key': 'Neuer Schlüssel',
  'operation.key.generation': 'Generation {n}',
  'operation.log': 'Im Protokoll',
  'operation.mine': 'Meine',
  'operation.none.all': 'Keine Vorgänge',
  'operation.none.hint':
    'Was länger als einen Augenblick dauert, etwa ein Agent mit einer anderen Engine, geschieht hier Schritt für Schritt, und man kann zusehen.',
  'operation.none.open': 'Gerade ist nichts im Gang',
  'operation.none.stuck': 'Nichts steckt fest',
  'operation.none.stuck.hint':
    'Ein Vorgang steckt fest, wenn er von selbst weder weiter noch zurück kann. Dann wartet er hier auf eine Entscheidung.',
  'operation.nobody': 'Fractal selbst oder jemand Gelöschtes',
  'operation.notFound': 'Diesen Vorgang gibt es hier nicht',
  'operation.notFound.hint':
    'Vielleicht stimmt die Adresse nicht, oder er betrifft etwas, das dir nicht gehört.',
  'operation.older': 'Ältere zeigen',
  'operation.on': 'Arbeitet an',
  'operation.output': 'Was herauskam',
  'operation.owner': 'Gehört',
  'operation.pending.hint':
    'Nur wenige Vorgänge laufen zugleich. Dieser beginnt von selbst, wenn er an der Reihe ist.',
  'operation.proposal.show': 'Antrag zeigen',
  'operation.retry': 'Nochmals versuchen',
  'operation.retry.back':
    '„{step}“ wird noch einmal zurückgenommen. Gelingt das, wird auch zurückgenommen, was davor kam.',
  'operation.retry.hint':
    '„{step}“ wird noch einmal versucht. Gelingt es, geht der Vorgang von selbst weiter.',
  'operation.retry.title': 'Diesen Schritt nochmals versuchen?',
  'operation.settled': 'Zu Ende',
  'operation.skip': 'Schritt überspringen',
  'operation.skip.back':
    '„{step}“ wird nicht zurückgenommen: Was er getan hat, bleibt. Der Vorgang nimmt weiter zurück, was davor kam. Überspringe ihn nur, wenn du ihn von Hand in Ordnung gebracht hast.',
  'operation.skip.hint':
    '„{step}“ bleibt, wie er jetzt ist, vielleicht halb getan, und der Vorgang geht mit dem nächsten weiter. Überspringe ihn nur, wenn du ihn von Hand in Ordnung gebracht hast.',
  'operation.skip.title': 'Diesen Schritt überspringen?',
  'operation.started': 'Begonnen',
  'operation.state.done': 'Erledigt',
  'operation.state.pending': 'Wartet auf seinen Platz',
  'operation.state.running': 'Im Gang',
  'operation.state.stuck': 'Steckt fest',
  'operation.state.undoing': 'Wird zurückgenommen',
  'operation.state.undone': 'Zurückgenommen',
  'operation.step.done': 'Erledigt',
  'operation.step.failed': 'Fehlgeschlagen',
  'operation.step.failed.back': 'Nicht zurückzunehmen',
  'operation.step.pending': 'Nicht begonnen',
  'operation.step.running': 'Läuft',
  'operation.step.skipped': 'Übersprungen',
  'operation.step.undoing': 'Wird zurückgenommen',
  'operation.step.undone': 'Zurückgenommen',
  'operation.steps': 'Schritte',
  'operation.stuck': 'Er steckt fest',
  'operation.stuck.back': 'Er steckt beim Zurücknehmen fest',
  'operation.stuck.choose': 'Von selbst geht es nicht weiter: Entscheide, was jetzt geschieht.',
  'operation.stuck.others':
    'Von selbst geht es nicht weiter: Jemand aus der Administration muss entscheiden, was jetzt geschieht.',
  'operation.tab.all': 'Alle',
  'operation.tab.open': 'Im Gang',
  'operation.tab.stuck': 'Steckt fest',
  'operation.tries': '{n} Versuch misslang | {n} Versuche misslangen',
  'operation.turned': 'Warum er umgekehrt ist: {why}',
  'operation.undo': 'Zurücknehmen',
  'operation.undo.hint':
    'Der Vorgang geht nicht weiter. Was getan wurde, wird zurückgenommen, der letzte Schritt zuerst, bis alles ist wie vorher.',
  'operation.undo.instance.create':
    'Der Agent wird entfernt, samt seinen Dateien, außer er hat inzwischen geantwortet.',
  'operation.undo.title': 'Zurücknehmen, was getan wurde?',
  'operation.undoing': 'Er geht zurück',
  'operation.undoing.hint': 'Was getan wurde, wird zurückgenommen, der letzte Schritt zuerst.',
  'operation.undone.hint': 'Was getan wurde, ist zurückgenommen: Alles ist wie vorher.',
  'operation.undone.nothing': 'Es wurde nichts getan.',
  'operation.undone.partly': 'Was getan wurde, ist zurückgenommen, bis auf das Übersprungene.',
  'operation.what': '{action}: {name}',
  'operation.which': 'Welche Vorgänge',
  'operation.whose': 'Wessen Vorgänge',
} satisfies Record<keyof typeof en, string>;
