import { examine } from './examine.ts';

examine({ theme: 'light', locale: 'sv-SE' });
