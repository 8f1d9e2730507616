// What a model provider did wrong, in German. The server says it in English, with the case's own details, and sends
// a code; other languages have the code's usual cause and remedy.
import type { ProviderFault } from '../../api/types';

export const faults = {
  not_configured: {
    message: 'Diesem Agenten ist kein Modell zugewiesen.',
    remedy: 'Wähle unter Einstellungen, Agent einen Anbieter und ein Modell.',
  },
  key_missing: {
    message: 'Für den Anbieter ist kein Schlüssel hinterlegt.',
    remedy: 'Trage ihn unter Einstellungen, Anbieter ein.',
  },
  key_refused: {
    message: 'Der Anbieter hat den Schlüssel abgelehnt.',
    remedy: 'Trage unter Einstellungen, Anbieter einen gültigen ein; die nächste Nachricht nutzt ihn.',
  },
  quota_exceeded: {
    message: 'Kontingent oder Guthaben beim Anbieter sind aufgebraucht.',
    remedy: 'Lade dort Guthaben auf, erhöhe die Grenze oder wähle einen anderen Anbieter.',
  },
  rate_limited: {
    message: 'Der Anbieter nimmt gerade keine weiteren Anfragen an.',
    remedy: 'Warte eine Minute und versuche es nochmals, oder wähle ein anderes Modell.',
  },
  model_unknown: {
    message: 'Der Anbieter kennt das Modell nicht oder gibt es für diesen Schlüssel nicht frei.',
    remedy: 'Wähle ein Modell aus der Liste des Anbieters und prüfe seine Adresse.',
  },
  bad_request: {
    message: 'Der Anbieter hat die Anfrage nicht angenommen.',
    remedy:
      'Beginne ein neues Gespräch oder wähle ein anderes Modell; bleibt es so, passt die Art des Anbieters vielleicht nicht zu seiner Adresse.',
  },
  provider_error: {
    message: 'Der Anbieter hat mit einem Fehler geantwortet.',
    remedy: 'Versuche es gleich nochmals; bleibt es so, hilft die Statusseite des Anbieters weiter.',
  },
  unreachable: {
    message: 'Der Anbieter ist nicht zu erreichen.',
    remedy: 'Prüfe seine Adresse und die Netzverbindung dieses Servers.',
  },
  address_refused: {
    message: 'Diese Adresse ist nicht erlaubt.',
    remedy: 'Prüfe sie; Adressen im privaten Netz müssen eigens erlaubt werden.',
  },
  timeout: {
    message: 'Der Anbieter hat nicht rechtzeitig geantwortet.',
    remedy: 'Versuche es nochmals, oder wähle ein anderes Modell.',
  },
} satisfies Record<ProviderFault['code'], { message: string; remedy: string }>;
