/** What commands print, and what they ask. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { Temporal } from 'temporal-polyfill';
import { Failure } from './failure.ts';

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints a command's result: as one JSON document, or as the text for people. */
export function printResult(json: true | undefined, result: object, text: () => string): void {
  print(json ? JSON.stringify(result) : text());
}

/** Lays rows out in columns: the first aligned left, the others right; a rule below the heading. */
export function table(heading: string[], rows: string[][], totals?: string[]): string {
  const all = [heading, ...rows, ...(totals ? [totals] : [])];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(heading), rule, ...rows.map(line), ...(totals ? [rule, line(totals)] : [])].join('\n');
}

/** An instant as the clock on the property's wall showed it, to the minute, with its offset. */
export function wallTime(instant: string, timezone: string): string {
  const zoned = Temporal.Instant.from(instant).toZonedDateTimeISO(timezone);
  return zoned.toString({ timeZoneName: 'never', smallestUnit: 'minute' }).replace('T', ' ');
}

/** Asks on the terminal for something that is not shown while it is typed. */
export function askSecretly(question: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new Failure('A password is needed: set ELECTRIC_PASSWORD, or run this in a terminal.', 'usage');
  }
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write(`${question}: `);
  return new Promise((resolve, reject) => {
    terminal.once('close', () => {
      process.stderr.write('\n');
      reject(new Failure('No password was given.'));
    });
    terminal.question('', (answer) => {
      resolve(answer);
      terminal.close();
    });
  });
}
