/** What a bench found: measured rows beside the physical limit of the same run, as a table and as JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Facts } from './machine.ts';

export interface Spread {
  median: number;
  min: number;
  max: number;
}

export interface Row {
  what: string;
  engine: string;
  unit: string;
  spread: Spread;
  /** How it stands to a limit measured in the same run, for example "0.31 of raw insert". */
  ratios: string[];
}

export interface Report {
  name: string;
  question: string;
  rows: Row[];
  /** What a reader needs to know to understand the numbers. */
  notes: string[];
}

export function spreadOf(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** Runs a measurement a few times after warm-ups whose results nobody keeps. `measure` gets the run's number. */
export async function repeated(
  { warmups, runs }: { warmups: number; runs: number },
  measure: (run: number) => Promise<number> | number,
): Promise<Spread> {
  const samples: number[] = [];
  for (let run = 0; run < warmups + runs; run += 1) {
    const sample = await measure(run);
    if (run >= warmups) samples.push(sample);
  }
  return spreadOf(samples);
}

/** A number with three significant digits, more only where it has more before its point. */
export function rounded(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en', { maximumFractionDigits: Math.min(digits, 6) });
}

/** How a measured row stands to a limit: a share for rates, a multiple for times and sizes. */
export function ratio(of: Spread, limit: Spread, name: string, kind: 'share' | 'times' = 'share'): string {
  const value = rounded(of.median / limit.median);
  return kind === 'share' ? `${value} of ${name}` : `${value} × ${name}`;
}

function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ what, engine, unit, spread: { median, min, max }, ratios }) => [
    what,
    engine,
    `${rounded(median)} ${unit}`,
    `${rounded(min)} – ${rounded(max)}`,
    ratios.join('; '),
  ]);
  const lines = [['what', 'engine', 'median', 'min – max', 'against the limit'], ...cells];
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const text = lines.map((line) => `| ${line.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`);
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [text[0], rule, ...text.slice(1)].join('\n');
}

export function toMarkdown({ question, rows, notes }: Report, facts: Facts): string {
  const machine = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
  const remarks = notes.length > 0 ? `\n${notes.map((note) => `- ${note}`).join('\n')}\n` : '';
  return `# ${question}\n\n${machine.join(' · ')}\n\n${tableOf(rows)}\n${remarks}`;
}

/** Prints a report and keeps it in `folder`, if one is given. */
export function publish(report: Report, facts: Facts, folder: string | null): void {
  const text = toMarkdown(report, facts);
  process.stdout.write(`\n${text}`);
  if (folder === null) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${report.name}.md`, text);
  writeFileSync(`${folder}/${report.name}.json`, `${JSON.stringify({ facts, ...report }, null, 2)}\n`);
}
