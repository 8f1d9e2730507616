// API tokens, in German.
import type { tokens as en } from '../en/tokens';

export const tokens = {
  'scope.all': 'Alles, was ich darf',
  'scope.chat': 'Nur Chat',
  'scope.read': 'Nur lesen',
  'secret.once': 'Kopiere es jetzt: es wird nur dieses eine Mal gezeigt.',
  'tokens.create': 'Token erzeugen',
  'tokens.delete.hint':
    'Programme, die es nutzen, gehen sofort nicht mehr. Das lässt sich nicht rückgängig machen.',
  'tokens.delete.title': '{name} löschen?',
  'tokens.ends': 'endet',
  'tokens.expires': 'Gültig für',
  'tokens.intro': 'Für Programme, die in deinem Namen mit Fractal sprechen.',
  'tokens.made': 'Neues API-Token',
  'tokens.name.hint': 'Wofür es ist.',
  'tokens.new': 'Neues Token',
  'tokens.none': 'Noch keine Tokens',
  'tokens.none.hint': 'Erzeuge eines, um deinen Agenten aus Skripten und Programmen zu nutzen.',
  'tokens.rotate': 'Ersetzen',
  'tokens.rotate.hint':
    'Du bekommst ein neues Token. Das alte gilt noch eine Stunde, damit du es tauschen kannst.',
  'tokens.rotate.title': '{name} ersetzen?',
  'tokens.scope': 'Darf benutzt werden für',
  'tokens.use': 'Benutzen',
  'tokens.use.hint': 'Jedes OpenAI-kompatible Programm geht: das Modell ist die Kennung deines Agenten.',
  'tokens.used': 'benutzt',
} satisfies Record<keyof typeof en, string>;
