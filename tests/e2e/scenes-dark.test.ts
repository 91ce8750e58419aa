import { examine } from './examine.ts';

// German has the longest words.
examine({ theme: 'dark', locale: 'de-DE' });
