import { messages } from '../../languages/index.ts';

export const say = messages({
  this_month: { en: 'This month', sv: 'Denna månad', de: 'Dieser Monat' },
  so_far: { en: 'so far', sv: 'hittills', de: 'bisher' },
  last_read: { en: 'Last read {when}', sv: 'Senast avläst {when}', de: 'Zuletzt abgelesen {when}' },
  never_read: { en: 'Not read yet', sv: 'Inte avläst än', de: 'Noch nicht abgelesen' },
  not_known: { en: 'not known', sv: 'inte känt', de: 'nicht bekannt' },
  months: {
    en: 'Consumption of the last 13 months: {list}',
    sv: 'Förbrukning de senaste 13 månaderna: {list}',
    de: 'Verbrauch der letzten 13 Monate: {list}',
  },
  of_it: { en: 'in {month}', sv: 'i {month}', de: 'im {month}' },
  first_round: {
    en: 'Read the meters twice, and the difference is what was used.',
    sv: 'Läs av mätarna två gånger, så är skillnaden det som förbrukats.',
    de: 'Lesen Sie die Zähler zweimal ab; der Unterschied ist der Verbrauch.',
  },
  where_it_went: { en: 'Where it went', sv: 'Vart den tog vägen', de: 'Wohin sie ging' },
  welcome: { en: 'Welcome to Electric', sv: 'Välkommen till Electric', de: 'Willkommen bei Electric' },
  welcome_explained: {
    en: 'Name your property and its meters, read them, and see where the electricity went.',
    sv: 'Namnge din fastighet och dess mätare, läs av dem och se vart elen tog vägen.',
    de: 'Benennen Sie Ihr Gebäude und seine Zähler, lesen Sie sie ab, und sehen Sie, wohin der Strom ging.',
  },
  add_first: { en: 'Add your property', sv: 'Lägg till din fastighet', de: 'Gebäude anlegen' },
  try_sample: {
    en: 'Try it with sample data',
    sv: 'Prova med exempeldata',
    de: 'Mit Beispieldaten ausprobieren',
  },
  loading_sample: {
    en: 'Loading four years of a house …',
    sv: 'Läser in fyra år av ett hus …',
    de: 'Vier Jahre eines Hauses werden geladen …',
  },
  sample_explained: {
    en: 'Four years of a house near Paris, in a property of its own that you can delete.',
    sv: 'Fyra år av ett hus nära Paris, i en egen fastighet som du kan ta bort.',
    de: 'Vier Jahre eines Hauses bei Paris, in einem eigenen Gebäude, das Sie löschen können.',
  },
  sample_house: {
    en: 'House in Sceaux (sample)',
    sv: 'Hus i Sceaux (exempel)',
    de: 'Haus in Sceaux (Beispiel)',
  },
});
