// Zeugen des Protokolls: Dritte, die es gegenzeichnen.
import type { witness as en } from '../en/witness';

export const witness = {
  'witness.add': 'Zeugen hinzufügen',
  'witness.add.hint':
    'Wer ihn betreibt, muss zuerst den Schlüssel dieses Protokolls kennen: Gib weiter, was `fractal evidence key` ausgibt.',
  'witness.behind': 'Er bezeugt {n} Eintrag | Er bezeugt {n} Einträge',
  'witness.conflict': 'Ein Zeuge kennt eine andere Geschichte dieses Protokolls',
  'witness.intro':
    'Ein Zeuge ist eine fremde Maschine, die unterschreibt, wie lang dieses Protokoll ist und was darin steht, nachdem sie geprüft hat, dass es nur gewachsen ist. Wer das Protokoll umschreibt oder zwei Leuten zwei Geschichten zeigt, bekommt ihre Unterschrift nicht für beide.',
  'witness.key': 'Schlüssel',
  'witness.key.hint': 'Wie ihn der Betreiber veröffentlicht: name+id+key',
  'witness.last': 'zuletzt',
  'witness.manage': 'Zeugen',
  'witness.none': 'Niemand sonst bezeugt dieses Protokoll',
  'witness.none.hint':
    'Ohne Zeugen zeigt sich eine umgeschriebene Geschichte nur denen, die einen Prüfpunkt aufbewahrt haben.',
  'witness.nothing': 'Er bezeugt noch nichts',
  'witness.private': 'Auf dieser Maschine oder in einem privaten Netz',
  'witness.private.hint': 'Nötig für solche Adressen und für unverschlüsseltes http.',
  'witness.remove': 'Entfernen',
  'witness.remove.hint':
    'Er wird nicht mehr gefragt. Was er bisher unterschrieben hat, bleibt und gilt weiter.',
  'witness.remove.title': '{name} entfernen?',
  'witness.state.conflict': 'Kennt eine andere Geschichte',
  'witness.state.cosigned': 'Zeichnet gegen',
  'witness.state.forged': 'Unterschrift passt nicht',
  'witness.state.new': 'Noch nicht gefragt',
  'witness.state.refused': 'Weigert sich',
  'witness.state.unreachable': 'Antwortet nicht',
  'witness.title': 'Zeugen',
  'witness.trouble': 'Ein Zeuge zeichnet nicht gegen',
  'witness.url': 'Adresse',
  'witness.url.hint': 'Womit seine Adressen beginnen, zum Beispiel https://witness.example.org',
  'witness.vouch': '{n} Zeuge bezeugt dieses Protokoll | {n} Zeugen bezeugen dieses Protokoll',
  'witness.vouch.size': 'am weitesten bis Eintrag {n}',
} satisfies Record<keyof typeof en, string>;
