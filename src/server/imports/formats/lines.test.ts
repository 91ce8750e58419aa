/** Rows of cells: where they stand in the file, and wherever its pieces end. */
import { expect, test } from 'vitest';
import type { FoundError, FoundReading } from './format.ts';
import { open } from './open.ts';

async function read(text: string) {
  async function* body() {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
  }
  const { plan, readings } = await open(body(), {}, 'UTC');
  const [all, errors]: [FoundReading[], FoundError[]] = [[], []];
  for await (const found of readings) {
    all.push(...found.readings);
    errors.push(...found.errors);
  }
  return { plan, readings: all, errors };
}

test('lines are those of the file: after a sep= line, empty ones, any line ends, and line ends in cells', async () => {
  const text =
    'sep=;\r\n\r\nMy "house"\r\nDatum;note;kitchen\r\n2026-02-01;"a\r\nb ""c""\n";1\r\n\r\n2026-03-01;x;bad\r2026-04-01;y;2\n';
  const { plan, readings, errors } = await read(text);
  expect(plan.heading_line).toBe(4);
  expect(readings.map(({ line, note }) => [line, note])).toEqual([
    [5, 'a\r\nb "c"'],
    [10, 'y'],
  ]);
  expect(errors.map(({ line, column }) => [line, column])).toEqual([[9, 'kitchen']]);
});

test('pieces of a file end anywhere: before, in and after quotes and line ends', async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => {
    const time = new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString();
    return `"${time}","${i}"\r\n`;
  });
  for (let padding = 0; padding < 32; padding += 1) {
    const { readings, errors } = await read(`timestamp,${'m'.repeat(padding + 1)}\r\n${rows.join('')}`);
    expect(errors).toEqual([]);
    expect(readings.every(({ line, value_wh }, i) => line === i + 2 && value_wh === i * 1000)).toBe(true);
    expect(readings).toHaveLength(rows.length);
  }
});

test('an export says names and notes without the apostrophe that keeps them from being formulas', async () => {
  const heading =
    'timestamp,meter_name,meter_type,value,recorded_by,reading_type,period_start,location,flags,source,note,recorded_at,reading_id,batch_id';
  const row = (name: string, note: string) =>
    `2026-01-01T00:00:00Z,${name},physical,1,me,absolute,,,,manual,${note},,1,1`;
  const { readings } = await read(`${heading}\n${row("'=kitchen", "'+1")}\n${row("'s attic", "it's")}\n`);
  expect(readings.map(({ meter, note }) => [meter, note])).toEqual([
    ['=kitchen', '+1'],
    ["'s attic", "it's"],
  ]);
});

test('an interval without its end, where no other row tells how long one lasts', async () => {
  const { errors } = await read(
    'Start,End,Usage (kWh)\n2026-01-01 10:00,2026-01-01 11:00,5\n2026-01-01 10:00,,5\n',
  );
  expect(errors.map(({ line, column }) => [line, column])).toEqual([[3, 'End']]);
});
