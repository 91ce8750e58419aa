/** Readings as a smart meter sends them: every quarter of an hour, rising. */
import type { House } from './house.ts';

export const FIRST_MS = Date.UTC(2024, 0, 1);
export const STEP_MS = 15 * 60_000;

export interface MeterReading {
  meter_id: number;
  name: string;
  reading_timestamp: number;
  value_wh: number;
}

/** By meter, then by time: the order in which both engines insert fastest. */
export function readingsOf({ meters }: House, per_meter: number): MeterReading[] {
  return meters.flatMap(({ id, name }, m) =>
    Array.from({ length: per_meter }, (_, i) => ({
      meter_id: id,
      name,
      reading_timestamp: FIRST_MS + i * STEP_MS,
      value_wh: 1_000_000 * m + i * 137 + ((i * (m + 7)) % 61),
    })),
  );
}

const instant = (ms: number) => new Date(ms).toISOString();
const kwh = (value_wh: number) => (value_wh / 1000).toFixed(3);

/** In order of time, as a logger writes it. */
export function asNdjson(house: House, readings: readonly MeterReading[]): Buffer<ArrayBuffer> {
  const per_meter = readings.length / house.meters.length;
  const lines: string[] = [];
  for (let i = 0; i < per_meter; i += 1) {
    for (let m = 0; m < house.meters.length; m += 1) {
      const { name, reading_timestamp, value_wh } = readings[m * per_meter + i]!;
      const line = { meter: name, reading_timestamp: instant(reading_timestamp), value: kwh(value_wh) };
      lines.push(JSON.stringify(line));
    }
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}

export function asCsv({ meters }: House, readings: readonly MeterReading[]): Buffer<ArrayBuffer> {
  const per_meter = readings.length / meters.length;
  const lines = [`timestamp,${meters.map(({ name }) => name).join(',')}`];
  for (let i = 0; i < per_meter; i += 1) {
    const cells = meters.map((_, m) => kwh(readings[m * per_meter + i]!.value_wh));
    lines.push(`${instant(FIRST_MS + i * STEP_MS)},${cells.join(',')}`);
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}
