import '@mantine/core/styles.css';
import './app/app.css';
// First of ours: takes the secret off the address before anything else can see it.
import './app/fragment';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { loadCatalogue, wantedLocale } from './strings';

const root = document.getElementById('root');
if (root) {
  loadCatalogue(wantedLocale())
    .catch(() => loadCatalogue('en'))
    .finally(() => createRoot(root).render(<App />));
}
