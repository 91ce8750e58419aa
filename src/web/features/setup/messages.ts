import { messages } from '../../languages/index.ts';

export const say = messages({
  explained: {
    en: 'Name the property and its meters. You can change everything later.',
    sv: 'Namnge fastigheten och dess mätare. Allt går att ändra senare.',
    de: 'Benennen Sie das Gebäude und seine Zähler. Alles lässt sich später ändern.',
  },
  property_name: { en: 'Name of the property', sv: 'Fastighetens namn', de: 'Name des Gebäudes' },
  property_example: {
    en: 'For example Linden Street 4',
    sv: 'Till exempel Lindgatan 4',
    de: 'Zum Beispiel Lindenstraße 4',
  },
  address: { en: 'Address', sv: 'Adress', de: 'Adresse' },
  where_and_money: { en: 'Time zone and currency', sv: 'Tidszon och valuta', de: 'Zeitzone und Währung' },
  timezone: { en: 'Time zone', sv: 'Tidszon', de: 'Zeitzone' },
  currency: { en: 'Currency', sv: 'Valuta', de: 'Währung' },
  main_explained: {
    en: 'The one of the grid company: everything goes through it.',
    sv: 'Elnätsföretagets: allt går genom den.',
    de: 'Der des Netzbetreibers: Alles läuft durch ihn.',
  },
  submeters_explained: {
    en: 'Each measures a part. What none of them measures is shown as unmetered.',
    sv: 'Var och en mäter en del. Det som ingen mäter visas som omätt.',
    de: 'Jeder misst einen Teil. Was keiner misst, heißt nicht gemessen.',
  },
  meter_name: { en: 'Name', sv: 'Namn', de: 'Name' },
  main_meter_name: { en: 'Name of the main meter', sv: 'Huvudmätarens namn', de: 'Name des Hauptzählers' },
  submeter_name: {
    en: 'Name of submeter {number}',
    sv: 'Namn på undermätare {number}',
    de: 'Name von Unterzähler {number}',
  },
  digits: { en: 'Digits', sv: 'Siffror', de: 'Stellen' },
  digits_hint: {
    en: 'Digits, if you like: as many as the display has before the decimal point, also zeros. Then Electric knows when it starts over.',
    sv: 'Siffror, om du vill: så många som displayen har före kommat, även nollor. Då vet Electric när den slår runt.',
    de: 'Stellen, wenn Sie mögen: so viele, wie die Anzeige vor dem Komma hat, auch Nullen. Dann weiß Electric, wann sie überläuft.',
  },
  remove_submeter: {
    en: 'Remove submeter {number}',
    sv: 'Ta bort undermätare {number}',
    de: 'Unterzähler {number} entfernen',
  },
  add_submeter: { en: 'Add a submeter', sv: 'Lägg till en undermätare', de: 'Unterzähler hinzufügen' },
  create: { en: 'Create property', sv: 'Skapa fastighet', de: 'Gebäude anlegen' },
  created: {
    en: '{name} is ready. Now read its meters.',
    sv: '{name} är klar. Läs nu av mätarna.',
    de: '{name} ist bereit. Lesen Sie jetzt die Zähler ab.',
  },
  twice: {
    en: 'Two meters have this name. Choose another.',
    sv: 'Två mätare har det namnet. Välj ett annat.',
    de: 'Zwei Zähler heißen so. Wählen Sie einen anderen Namen.',
  },
});
