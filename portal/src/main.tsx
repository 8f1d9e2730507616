import '@mantine/core/styles.css';
import './app/app.css';
// First of ours: takes the secret off the address before anything else can see it.
import './app/fragment';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { loadCatalogue, wantedLocale } from './strings';

const root = document.getElementById('root');
if (root) {
  // The page that opens most often is fetched while the words still come.
  if (location.pathname === '/') void import('./chat/ChatPage').catch(() => {});
  loadCatalogue(wantedLocale())
    .catch(() => loadCatalogue('en'))
    .then(
      () => createRoot(root).render(<App />),
      // Without any words only this can be said, in both languages.
      () => root.append('Fractal could not be loaded: reload the page. Bitte lade die Seite neu.'),
    );
}
