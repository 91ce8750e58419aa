/** What headings say, in the languages of those who hand out such files. */
import { fold } from '../../../core/text.ts';
import { isTimezone } from '../../../core/time.ts';
import type { Unit } from './amounts.ts';

export const TABLE_ROLES = [
  'timestamp',
  'date',
  'time',
  'period_start',
  'meter',
  'value',
  'note',
  'reading_type',
] as const;
export type TableRole = (typeof TABLE_ROLES)[number];

const list = (words: string) => words.split(/\s*[,\n]\s*/).filter((word) => word !== '');

/** Heads a moment, or the beginning of an interval. */
const STARTS = list(`
  start, start time, starttime, start date, start datetime, from, from date, interval start, usage start, period start
  von, beginn, startzeit, startzeitpunkt, zeit von, datum von, von datum, uhrzeit von, ab
  van, van datum, van tijdstip, begin, från, fr o m, starttid, startdatum, fra, fra dato, fra tid, alkuaika, alku
  inicio, fecha inicio, desde, debut, date debut, inizio, dalle`);
/** Heads the end of an interval. */
const ENDS = list(`
  end, end time, endtime, end date, end datetime, to, to date, interval end, usage end, period end
  bis, ende, endzeit, endzeitpunkt, zeit bis, datum bis, bis datum, uhrzeit bis
  tot, tot datum, tot tijdstip, einde, till, t o m, sluttid, slutdatum, slut, til, til dato, til tid, loppuaika, loppu
  fin, fecha fin, hasta, date fin, fine, alle`);

const WORDS: Record<Exclude<TableRole, 'period_start'> | 'register' | 'unit', readonly string[]> = {
  timestamp: list(`
    timestamp, reading timestamp, time stamp, datetime, date time, date and time, readdatetime, read datetime, last changed
    last updated, time bucket, reading time, time, period, zeitstempel, zeitpunkt, messzeitpunkt, datum zeit, datum uhrzeit
    datum und uhrzeit, ablesezeitpunkt, tidpunkt, tidsstämpel, datum tid, datum och tid, tidsperiod, avläsningstidpunkt
    tijdstip, datum tijd, tidspunkt, dato tid, aika, aikaleima, horodate, date heure, fecha hora, fecha y hora, data ora`),
  date: list(`
    date, datum, reading date, read date, usage date, day, tag, dag, ablesedatum, avläsningsdatum, avläst, dato, päivä
    päivämäärä, pvm, fecha, jour, data, giorno, local date`),
  time: list(`
    time, hour, local time, zeit, uhrzeit, stunde, tid, klockslag, timme, kl, klokkeslett, klokkeslæt, time på døgnet, tijd
    uur, kello, tunti, kellonaika, hora, periodo, heure, ora`),
  meter: list(`
    meter, meter name, meter number, meter no, meter id, meter serial, meter serial number, device, device name, mpr, mpan
    mprn, nmi, metering point, metering point id, meteringpointid, gsrn, icp, esiid, service point, statistic id, entity id
    name, zähler, zählernummer, zählerstand von, zählpunkt, zählpunktnummer, zählpunktbezeichnung, messlokation
    marktlokation, messstelle, mätare, mätarnummer, mätpunkt, anläggning, anläggningsid, anläggnings id, målepunktsid
    målepunkt, målepunkt id, måler, måler id, målernummer, mittauspiste, mittauspisteen tunnus, käyttöpaikka, ean code, ean
    cups, prm, pdl, identifiant prm, pod`),
  value: list(`
    value, state, kwh, wh, mwh, consumption, usage, usage kwh, energy, energy consumption, energyconsumption, reading
    meter reading, register, import, volume, quantity, active energy, total, verbrauch, gemessener verbrauch, wert, messwert
    zählerstand, stand, bezug, menge, energie, energiemenge, förbrukning, total förbrukning, värde, mätarställning
    avläst värde, energi, uttag, mätvärde, forbruk, forbrug, mængde, mengde, verdi, målerstand, verbruik, meterstand, määrä
    kulutus, sähkönkulutus, lukema, consumo, ae, valeur, consommation, valore, consumi`),
  note: list('note, notes, comment, comments, kommentar, bemerkung, anteckning, anmerkung, opmerking'),
  reading_type: ['reading type'],
  register: list(`
    register, register id, registerid, suffix, channel, nmi suffix, kanal, obis, obis code, obis kennzahl, obis kennziffer
    zählwerk, richtung, energierichtung, direction, flow direction, riktning`),
  unit: list(`
    unit, units, uom, unit of measure, eenheid, einheit, enhet, enhed, måleenhed, måleenhet, yksikkö, yksikkötyyppi, unidad
    unité, unite, unita di misura`),
};
const REGISTER_WORDS =
  /(?:^|\s)(register|state|zählerstand|stand|mätarställning|reading|meterstand|målerstand|lukema|index)(?=\s|$)/;
const INTERVAL_WORDS =
  /consumption|usage|verbrauch|bezug|förbrukning|uttag|forbruk|forbrug|verbruik|kulutus|consumo|consommation|volume|mængde|määrä/;
/** Heads numbers that are no energy and no meter's. */
const OTHER_WORDS =
  /(?:^|\s)(cost|costs|price|prices|amount|tax|kosten|preis|kostnad|pris|moms|belopp|coste|precio|prix|temp|temperature|temperatur|utomhustemperatur|außentemperatur|lämpötila|ulkolämpötila|température|temperatura|hinta|wattage|max v|min v|spannung|status|quality|kvalitet|qualität|ersatzwert|laatu|sek|dkk|nok|eur|usd|gbp|øre|öre)(?=\s|$)|estimated cost|[€$£%°]/;
const ENERGY = /(?:^|[\s([_/,])(k|M|m)?Whs?(?![\p{L}])[)\]]?/iu;
const POWER = /(?:^|[\s([_/,])(?:k|M)?(?:W|VA|Watts?)(?![\p{L}])[)\]]?/iu;

/** A heading without the unit behind it: a meter's name. */
export function nameOf(heading: string): string {
  return heading.replace(/\s*[([](?:k|M|m)?Whs?[)\]]\s*$/i, '').trim();
}

/** As headings are compared: without case, unit and punctuation. */
function bare(heading: string): string {
  const words = fold(
    heading.replace(/[([][^)\]]*(?:Whs?|UTC|GMT|\/)[^)\]]*[)\]]/i, '').replace(/[\s_](?:k|M)?Wh$/i, ''),
  );
  return words.replace(/[\s_\-./():[\]]+/g, ' ').trim();
}

export const says = (heading: string, role: keyof typeof WORDS) => WORDS[role].includes(bare(heading));
export const saysStart = (heading: string) => STARTS.includes(bare(heading));
export const saysEnd = (heading: string) => ENDS.includes(bare(heading));
/** Whether a heading is about money, quality or the like. */
export const isOther = (heading: string) => OTHER_WORDS.test(fold(heading).replace(/[_().,/]+/g, ' '));
export const isPower = (heading: string) => !ENERGY.test(heading) && POWER.test(heading);

/** A unit as a cell or a heading has it; null where it is none of energy. */
export function unitOf(text: string): Unit | null {
  const match = ENERGY.exec(text);
  if (!match) return null;
  const prefix = match[1]?.toLowerCase();
  return prefix === 'k' ? 'kWh' : prefix === 'm' ? 'MWh' : 'Wh';
}

/** A cell that is a unit and nothing else. */
export function unitCell(cell: string): Unit | 'power' | null {
  if (/^(?:k|M|m)?Wh$/i.test(cell.trim())) return unitOf(cell.trim());
  return /^(?:k|M)?(?:W|VA)$/i.test(cell.trim()) ? 'power' : null;
}

/** Whether a heading speaks of registers or of intervals. */
export function kindOf(heading: string): 'absolute' | 'relative' | null {
  const word = fold(heading).replace(/[_\-./()]+/g, ' ');
  if (INTERVAL_WORDS.test(word)) return 'relative';
  return REGISTER_WORDS.test(word) ? 'absolute' : null;
}

/** The zone that a heading names: "Time (UTC)", "Time Bucket (America/Chicago)". */
export function zoneOf(heading: string): string | null {
  if (/(?:^|[\s(])(?:UTC|GMT)[)]?$/.test(heading.trim())) return 'UTC';
  const named = /\(([A-Z]\w+\/[\w/]+)\)/.exec(heading)?.[1];
  return named !== undefined && isTimezone(named) ? named : null;
}
