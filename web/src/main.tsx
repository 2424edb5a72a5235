import { createRoot } from 'react-dom/client';
import { I18nProvider } from './i18n';
import './styles.css';
import { App } from './ui/App';

createRoot(document.getElementById('root') as HTMLElement).render(
  <I18nProvider>
    <App />
  </I18nProvider>,
);
