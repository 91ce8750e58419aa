/** Files as utilities and devices in many countries hand them out: made up here, in the shapes of theirs. */
import type { Wishes } from '../../src/server/imports/formats/format.ts';

export interface Shape {
  text: string;
  zone?: string;
  wishes?: Wishes;
  /** The first readings. */
  wanted: string[];
  count: number;
}

/** Hours of 1 February 2026 with values 0.1, 0.2, … */
export const hours = (line: (hour: number) => string, count = 4) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');
const two = (number: number) => String(number).padStart(2, '0');
const H = (meter: string, ...ends: [string, string, number][]) =>
  ends.map(([begin, end, wh]) => `${meter}|2026-0${begin}|2026-0${end}|${wh}`);
/** The first two hours of that day in central Europe. */
const CET = (meter: string) => H(meter, ['1-31T23:00', '2-01T00:00', 100], ['2-01T00:00', '2-01T01:00', 200]);

export const SHAPES: Record<string, Shape> = {
  'Swedish: Datum, Tid, Förbrukning kWh': {
    text: `Datum;Tid;Förbrukning kWh\n${hours((h) => `2026-02-01;${two(h)}:00;0,${h + 1}`)}\n`,
    ...{ wanted: CET(''), count: 4 },
  },
  'Swedish: from and to, with a meter and a status': {
    text:
      'Anläggnings-ID;Från;Till;Förbrukning (kWh);Status\n' +
      hours((h) => `735999;2026-02-01 ${two(h)}:00;2026-02-01 ${two(h + 1)}:00;0,${h + 1};Uppmätt`),
    ...{ wanted: CET('735999'), count: 4 },
  },
  'Swedish: a period in one cell': {
    text: `Tidsperiod;Förbrukning\n${hours((h) => `2026-02-01 ${two(h)}:00 - ${two(h + 1)}:00;0,${h + 1}`)}`,
    ...{ wanted: CET(''), count: 4 },
  },
  'Swedish registers': {
    text: 'Mätarnummer;Avläsningsdatum;Mätarställning (kWh)\n77;2026-01-01;12 345\n77;2026-02-01;12 846\n',
    ...{ wanted: ['77|R|2025-12-31T23:00|12345000', '77|R|2026-01-31T23:00|12846000'], count: 2 },
  },
  'German registers': {
    text: 'Datum;Uhrzeit;Zählerstand\n01.02.2026;00:00;1.234,5\n02.02.2026;00:00;1.240,0\n',
    ...{ wanted: ['|R|2026-01-31T23:00|1234500', '|R|2026-02-01T23:00|1240000'], count: 2 },
  },
  'dates and times without anything between': {
    text: `Datum;Verbrauch kWh\n${hours((h) => `20260201${two(h)}00;0,${h + 1}`)}`,
    ...{ wanted: CET(''), count: 4 },
  },
  'Austrian: Datum, Zeit von, Zeit bis': {
    text: `Datum;Zeit von;Zeit bis;Verbrauch [kWh]\n${hours((h) => `01.02.2026;${two(h)}:00;${two(h + 1)}:00;0,${h + 1}`)}`,
    ...{ wanted: CET(''), count: 4 },
  },
  'Austrian: Messzeitpunkt, with a status': {
    text: `Messzeitpunkt;Gemessener Verbrauch (kWh);Ersatzwert\n${hours((h) => `01.02.2026 ${two(h)}:00;0,${h + 1};`)}`,
    ...{ wanted: CET(''), count: 4 },
  },
  'German: both ends, the end a minute early': {
    text:
      'Startzeitpunkt;Endzeitpunkt;Bezug (kWh)\n' +
      hours((h) => `01.02.2026 ${two(h)}:00;01.02.2026 ${two(h)}:59;0,${h + 1}`),
    ...{ wanted: CET(''), count: 4 },
  },
  'UK: consumption first, spaces behind commas': {
    text:
      'Consumption (kwh), Start, End\n' +
      '0.100, 2026-02-01T00:00:00+00:00, 2026-02-01T00:30:00+00:00\n0.200, 2026-02-01T00:30:00+00:00, 2026-02-01T01:00:00+00:00\n',
    zone: 'Europe/London',
    ...{ wanted: H('', ['2-01T00:00', '2-01T00:30', 100], ['2-01T00:30', '2-01T01:00', 200]), count: 2 },
  },
  'UK: with costs beside': {
    text:
      'Consumption (kWh), Estimated Cost Inc. Tax (p), Standing Charge Inc. Tax (p), Start, End\n' +
      '0.1, 2.5, 40, 2026-02-01T00:00:00Z, 2026-02-01T00:30:00Z\n0.2, 5.0, , 2026-02-01T00:30:00Z, 2026-02-01T01:00:00Z\n',
    ...{ wanted: H('', ['2-01T00:00', '2-01T00:30', 100], ['2-01T00:30', '2-01T01:00', 200]), count: 2 },
  },
  'UK: timestamp (UTC) and an energy in camel case': {
    text: `timestamp (UTC),energyConsumption (kWh)\n${hours((h) => `2026-02-01 ${two(h)}:00,0.${h + 1}`)}`,
    ...{ wanted: H('', ['2-01T00:00', '2-01T01:00', 100], ['2-01T01:00', '2-01T02:00', 200]), count: 4 },
  },
  'Belgian: registers of a meter, units in a column': {
    text:
      'Van (datum);Van (tijdstip);Tot (datum);Tot (tijdstip);EAN-code;Meter;Metertype;Register;Volume;Eenheid;Validatiestatus\n' +
      hours(
        (h) =>
          `01-02-2026;0${h}:00:00;01-02-2026;0${h + 1}:00:00;="5414";1SAG;Digitaal;Afname Nacht;0,${h + 1};kWh;Gevalideerd\n` +
          `01-02-2026;0${h}:00:00;01-02-2026;0${h + 1}:00:00;="5414";1SAG;Digitaal;Injectie Nacht;;kWh;Geen verbruik`,
      ),
    wishes: { date_format: 'dd-mm-yyyy' },
    ...{ wanted: CET('5414 Afname Nacht'), count: 4 },
  },
  'Spanish: hours counted from 1': {
    text: `CUPS;Fecha;Hora;AE_kWh;AS_kWh;REAL/ESTIMADO\n${hours((h) => `ES1;14/02/2026;${h + 1};0,${h + 1};0,5;R`, 24)}`,
    ...{ wanted: H('ES1', ['2-13T23:00', '2-14T00:00', 100], ['2-14T00:00', '2-14T01:00', 200]), count: 24 },
  },
  'Spanish: hours written 01:00 to 24:00': {
    text: `cups,fecha,hora,consumo_kWh,metodoObtencion\n${hours((h) => `ES1,2026/02/01,${two(h + 1)}:00,"0,${h + 1}",Real`, 24)}`,
    ...{ wanted: CET('ES1'), count: 24 },
  },
  'Danish: from, to, amount, unit': {
    text:
      'MålepunktsID;Fra_dato;Til_dato;Mængde;Måleenhed;Kvalitet;Type\n' +
      hours((h) => `5713;01-02-2026 0${h}:00:00;01-02-2026 0${h + 1}:00:00;0,${h + 1};KWH;Målt;Tidsserie`),
    wishes: { date_format: 'dd-mm-yyyy' },
    ...{ wanted: CET('5713'), count: 4 },
  },
  'bills: months from their first to their last day': {
    text: 'Start Date,End Date,Usage (kWh)\n2026-01-01,2026-01-31,300\n2026-02-01,2026-02-28,280\n',
    zone: 'UTC',
    ...{
      wanted: H('', ['1-01T00:00', '2-01T00:00', 300_000], ['2-01T00:00', '3-01T00:00', 280_000]),
      count: 2,
    },
  },
  'days from themselves to themselves': {
    text: 'Von;Bis;Verbrauch (kWh)\n01.02.2026;01.02.2026;3,5\n02.02.2026;02.02.2026;2,8\n',
    zone: 'UTC',
    ...{ wanted: H('', ['2-01T00:00', '2-02T00:00', 3500], ['2-02T00:00', '2-03T00:00', 2800]), count: 2 },
  },
  'Norwegian: Fra, Til, KWH 60 Forbruk': {
    text: `Fra;Til;KWH 60 Forbruk\n${hours((h) => `01.02.2026 0${h}:00;01.02.2026 0${h + 1}:00;0,${h + 1}`)}`,
    ...{ wanted: CET(''), count: 4 },
  },
  'Finnish: eight columns, UTC': {
    text:
      'Mittauspisteen tunnus;Tuotteen tyyppi;Resoluutio;Yksikkötyyppi;Lukeman tyyppi;Alkuaika;Määrä;Laatu\n' +
      hours((h) => `643;8716867000030;PT1H;kWh;BN01;2026-02-01T0${h}:00:00Z;0,${h + 1}00000;OK`),
    ...{ wanted: H('643', ['2-01T00:00', '2-01T01:00', 100], ['2-01T01:00', '2-01T02:00', 200]), count: 4 },
  },
  'French: daily energy, its unit above': {
    text:
      'Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Unite\n' +
      '0123;Consommation;01/02/2026;04/02/2026;Energie active;Wh\nHorodate;Valeur\n' +
      '2026-02-01T00:00:00+01:00;9100\n2026-02-02T00:00:00+01:00;8200\n2026-02-03T00:00:00+01:00;8300\n',
    wishes: { reading_type: 'relative', label: 'start' },
    ...{ wanted: H('', ['1-31T23:00', '2-01T23:00', 9100], ['2-01T23:00', '2-02T23:00', 8200]), count: 3 },
  },
  'Italian: a row a day, quarters as ranges': {
    text:
      `Giorno;${Array.from({ length: 96 }, (_, i) => `${two(Math.floor(i / 4))}:${two((i % 4) * 15)}-${two(Math.floor((i + 1) / 4))}:${two(((i + 1) % 4) * 15)}`).join(';')}\n` +
      `14/02/2026;${Array.from({ length: 96 }, (_, i) => `0,${i + 100}`).join(';')}\n`,
    ...{ wanted: H('', ['2-13T23:00', '2-13T23:15', 100], ['2-13T23:15', '2-13T23:30', 101]), count: 96 },
  },
  'a row a day, hours as H01 to H25': {
    text:
      `CUPS;Fecha;${Array.from({ length: 25 }, (_, i) => `H${two(i + 1)}`).join(';')}\n` +
      `ES1;14/02/2026;${Array.from({ length: 24 }, (_, i) => `0,${i + 100}`).join(';')};\n`,
    ...{ wanted: H('ES1', ['2-13T23:00', '2-14T00:00', 100], ['2-14T00:00', '2-14T01:00', 101]), count: 24 },
  },
  'American: lines above, ends a minute early, units and costs': {
    text:
      'Name,A. PERSON\nAddress,1 MAIN ST\nAccount Number,123\nService,Service 1\n\n' +
      `TYPE,DATE,START TIME,END TIME,USAGE,UNITS,COST,NOTES\n${hours((h) => `Electric usage,2026-02-01,0${h}:00,0${h}:59,0.${h + 1},kWh,$0.0${h},`)}`,
    ...{ wanted: CET(''), count: 4 },
  },
  'American: USAGE (kWh), times with AM and PM': {
    text: `TYPE,DATE,START TIME,END TIME,USAGE (kWh),NOTES\n${hours((h) => `Electric usage,02/14/2026,${h || 12}:00 AM,${h + 1}:00 AM,0.${h + 1},`)}`,
    ...{ wanted: H('', ['2-13T23:00', '2-14T00:00', 100], ['2-14T00:00', '2-14T01:00', 200]), count: 4 },
  },
  'an energy monitor: a zone in the heading, circuits as columns': {
    text: `Time Bucket (America/New_York),Mains_A (kWhs),Kitchen (kWhs)\n${hours((h) => `02/14/2026 0${h}:00:00,0.${h + 1},No CT`)}`,
    wishes: { reading_type: 'relative' },
    ...{ wanted: ['Mains_A|2026-02-14T05:00|2026-02-14T06:00|100'], count: 4 },
  },
  'an energy monitor: devices in rows, power beside energy': {
    text:
      'Sense export\n\nDateTime,Device ID,Name,Device Type,Avg Wattage,kWh\n' +
      hours(
        (h) =>
          `2026-02-01 0${h}:00:00,mains,Total Usage,,10${h}.5,0.${h + 1}\n2026-02-01 0${h}:00:00,x1,Fridge,Fridge,50,0.05`,
      ),
    wishes: { reading_type: 'relative' },
    ...{ wanted: [CET('Total Usage')[0]!, 'Fridge|2026-01-31T23:00|2026-02-01T00:00|50'], count: 8 },
  },
  'a plug: UTC, energy in Wh beside volts': {
    text: `Date/time UTC,Active energy Wh (A),Max V,Min V\n${hours((h) => `2026-02-01 0${h}:00,${h + 100},231.5,229.1`)}`,
    wishes: { reading_type: 'relative' },
    ...{
      wanted: H('Active energy Wh (A)', ['2-01T00:00', '2-01T01:00', 100], ['2-01T01:00', '2-01T02:00', 101]),
      count: 4,
    },
  },
  'Home Assistant: history': {
    text:
      'entity_id,state,last_changed\nsensor.energy,100.5,2026-02-01T00:00:00.000Z\n' +
      'sensor.energy,unavailable,2026-02-01T00:30:00.000Z\nsensor.energy,101.5,2026-02-01T01:00:00.000Z\n',
    ...{
      wanted: ['sensor.energy|R|2026-02-01T00:00|100500', 'sensor.energy|R|2026-02-01T01:00|101500'],
      count: 2,
    },
  },
  'Australian: NEM12, market time, reactive energy left out': {
    text:
      '100,NEM12,202602020000,MDP,RET\n200,NMI0000001,E1Q1,1,E1,N1,SER,kWh,30,\n' +
      `300,20260201,${Array.from({ length: 48 }, (_, i) => `0.${i + 100}`).join(',')},A,,,20260202000000,\n400,1,48,A,,\n` +
      '200,NMI0000001,E1Q1,2,Q1,N1,SER,kvarh,30,\n' +
      `300,20260201,${Array.from({ length: 48 }, () => '1').join(',')},A,,,20260202000000,\n900\n`,
    zone: 'Australia/Sydney',
    ...{
      wanted: H('NMI0000001 E1', ['1-31T14:00', '1-31T14:30', 100], ['1-31T14:30', '1-31T15:00', 101]),
      count: 48,
    },
  },
};
