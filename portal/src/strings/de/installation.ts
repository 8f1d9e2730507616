// The installation as its administrators set it up, in German.
import type { installation as en } from '../en/installation';

export const installation = {
  'asset.healthy': 'In Ordnung',
  'asset.isolation': 'Isolation',
  'asset.limits': 'Grenzen',
  'asset.ownUid': 'eigener Systembenutzer je Agent',
  'asset.remarks': 'Könnte besser sein',
  'asset.slots': '{n} dürfen gleichzeitig starten',
  'asset.unhealthy': 'Nicht erreichbar',
  'enforcement.enforced': 'durchgesetzt',
  'enforcement.none': 'keine',
  'enforcement.watched': 'beobachtet',
  'engine.failed': 'Konnte nicht installiert werden',
  'engine.install': 'Erneut installieren',
  'engine.installed': 'Installiert',
  'engine.installing': 'Wird installiert',
  'installation.assets': 'Wo Agenten laufen',
  'installation.assets.hint': 'Was jeder Ort verspricht, und was er nicht kann.',
  'installation.danger': 'Gefahrenzone',
  'installation.engines': 'Engines',
  'installation.engines.hint': 'Die OpenClaw-Versionen, auf denen Agenten laufen.',
  'installation.hosts': 'Weitere Hostnamen',
  'installation.hosts.hint': 'Einer je Zeile. Anfragen an andere Namen werden abgelehnt.',
  'installation.idle.hint': 'Für neue Agenten.',
  'installation.intro': 'Adressen, Engines und Isolation dieser Installation.',
  'installation.key': 'Geheimer Schlüssel',
  'installation.key.export':
    'Exportiere ihn jetzt neu, auf der Maschine selbst, und bewahre den Export getrennt von den Sicherungen auf:',
  'installation.key.follow': 'Vorgang zeigen',
  'installation.key.generation': 'Generation {n}',
  'installation.key.hint':
    'Versiegelt die gespeicherten Geheimnisse: Schlüssel von Anbietern, Tokens von Agenten, Zugangsdaten von Fähigkeiten.',
  'installation.key.inForce': 'In Kraft',
  'installation.key.moved': 'Alle unter diesem Schlüssel',
  'installation.key.moving': 'Ziehen noch um',
  'installation.key.older':
    '{n} älterer Schlüssel wird noch gebraucht | {n} ältere Schlüssel werden noch gebraucht',
  'installation.key.replace': 'Schlüssel ersetzen',
  'installation.key.replace.exports':
    'Frühere Exporte des Schlüssels öffnen nicht, was ab jetzt gespeichert wird. Exportiere ihn deshalb danach neu, auf der Maschine selbst:',
  'installation.key.replace.moves':
    'Was gespeichert ist, zieht im Hintergrund auf den neuen Schlüssel um. Agenten und Menschen werden dadurch nicht aufgehalten.',
  'installation.key.replace.now':
    'Ein neuer Schlüssel ist sofort in Kraft, und zum bisherigen führt kein Weg zurück.',
  'installation.key.replace.title': 'Geheimen Schlüssel ersetzen?',
  'installation.key.replaced': 'Ein neuer Schlüssel ist in Kraft',
  'installation.key.stored': 'Gespeicherte Geheimnisse',
  'installation.key.stuck': 'Nicht alle können umziehen',
  'installation.noEngine': 'Noch ist keine Engine bekannt',
  'installation.proxies': 'Vertraute Proxys',
  'installation.proxies.hint': 'Netze (CIDR), deren weitergereichten Adressen geglaubt wird, eines je Zeile.',
  'installation.publicUrl': 'Öffentliche Adresse',
  'installation.publicUrl.hint': 'Wo Menschen Fractal öffnen, wenn es nicht diese Maschine selbst ist.',
  'installation.reduced': 'Eingeschränkte Isolation',
  'installation.reduced.accept': 'Risiko annehmen',
  'installation.reduced.accept.hint':
    'Agenten verschiedener Menschen können auf dieser Maschine die Dateien und Schlüssel der anderen lesen. Nimm das nur an, wenn alle einander vertrauen. Die Entscheidung wird festgehalten und kann zurückgenommen werden.',
  'installation.reduced.accepted':
    'Angenommen: die Agenten mehrerer Menschen teilen einen Vertrauensbereich.',
  'installation.reduced.hint':
    'Ohne bubblewrap sind Agenten nicht voneinander getrennt; nur eine Person darf diese Installation nutzen. Besser: bubblewrap installieren.',
  'installation.reduced.withdraw': 'Zurücknehmen',
  'installation.reduced.withdraw.hint':
    'Agenten anderer Menschen werden an Orten mit eingeschränkter Isolation nicht mehr gestartet.',
  'installation.retention': 'Tage, die Werte des Protokolls bleiben',
  'installation.retention.erase': 'Ältere Werte löschen',
  'installation.retention.title': 'Werte nur {n} Tage behalten?',
  'installation.retention.warning':
    'Binnen einer Stunde wird jeder ältere Wert des Protokolls gelöscht: Namen, Adressen, Einstellungen. Einträge und Beweise bleiben. Nichts bringt die Werte zurück.',
  'installation.retention.hint':
    'Ältere Namen, Adressen und andere Werte werden endgültig gelöscht; die Einträge bleiben und prüfen sich. 0 behält sie für immer.',
  'installation.witness': 'Sekunden zwischen Fragen an einen Zeugen',
  'installation.witness.hint':
    'Wie weit das, was Zeugen unterschreiben, hinter dem Protokoll liegen darf: 10 Sekunden bis einen Tag.',
  'isolation.reduced': 'Eingeschränkt',
  'isolation.sandboxed': 'In Sandbox',
  'limit.cpu': 'CPU',
  'limit.disk': 'Speicherplatz',
  'limit.memory': 'Arbeitsspeicher',
  'limit.open_files': 'Offene Dateien',
  'limit.processes': 'Prozesse',
} satisfies Record<keyof typeof en, string>;
