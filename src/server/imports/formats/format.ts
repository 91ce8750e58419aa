/** What every format is turned into, and what may be said about a file. */

/** How a file is built. */
export type Format = 'csv' | 'xlsx' | 'greenbutton' | 'ndjson';

/** Where something stands in a file: a line (or row, or entry) counted from 1, and the column's heading where there is one. */
export interface Place {
  line: number;
  column: string | null;
}

/** A reading as a file has it. `meter` is the file's own name for the meter; empty where the file has none. */
export interface FoundReading extends Place {
  meter: string;
  reading_type: 'absolute' | 'relative';
  /** Epoch milliseconds. */
  reading_timestamp: number;
  value_wh: number;
  period_start: number | null;
  note: string | null;
}

export interface FoundError extends Place {
  message: string;
}

/** Chunks (not single items: a million readings pass through). */
export interface Found {
  readings: FoundReading[];
  errors: FoundError[];
  /** Of the file, read so far. */
  bytes: number;
}

/** What a person may say about a file; everything else is guessed. */
export interface Wishes {
  format?: Format;
  delimiter?: string;
  decimal?: ',' | '.';
  /** For example dd.mm.yyyy. */
  date_format?: string;
  /** IANA name or offset, as +01:00. */
  timezone?: string;
  unit?: 'Wh' | 'kWh' | 'MWh';
  reading_type?: 'absolute' | 'relative';
  /** Whether times label the start or the end of an interval. */
  label?: 'start' | 'end';
  encoding?: string;
  /** Role → heading; roles: timestamp, date, time, period_start, meter, value, note, reading_type. */
  columns?: Record<string, string>;
  /** More than three decimals: rounded on the running total of each meter, so that the sum stays right. */
  round?: boolean;
  /** Name for the file's only, nameless meter. */
  meter?: string;
}

/** What was understood: every wish with its value, and a sentence for people per decision. */
export interface Plan {
  format: Format;
  layout: string;
  /** Where the names of the columns stand; null where there are none. */
  heading_line: number | null;
  /** As far as the head shows. */
  meters: string[];
  explained: string[];
  columns: Record<string, string>;
  delimiter: string | null;
  decimal: ',' | '.' | null;
  date_format: string | null;
  timezone: string | null;
  unit: 'Wh' | 'kWh' | 'MWh';
  reading_type: 'absolute' | 'relative' | null;
  label: 'start' | 'end' | null;
  encoding: string | null;
  round: boolean;
}

/** A file that has been recognised, and what is found in it as it is read. */
export interface Opened {
  plan: Plan;
  readings: AsyncIterable<Found>;
  /** Lets go of what the file was put down in, where it was. */
  close?: () => Promise<void>;
}
