import './app.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode, useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';
import { currentLocale, loadLanguage, onLanguage } from './languages/index.ts';
import { queries } from './queries.ts';
import { router } from './router.tsx';
import { signedIn, subscribe } from './session.ts';
import { applyTheme } from './theme.ts';

applyTheme();
loadLanguage();

subscribe(() => {
  // Whoever signs in is led on by the form. What one account has seen, the next one on this browser does not.
  if (signedIn() !== 'no') return;
  queries.clear();
  void router.invalidate();
});

// A part of an older version that the server has no more: the page as it is now has what replaces it.
addEventListener('vite:preloadError', (event) => {
  event.preventDefault();
  location.reload();
});

function App() {
  // Another language draws everything anew.
  const locale = useSyncExternalStore(onLanguage, currentLocale);
  return <RouterProvider key={locale} router={router} />;
}

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
