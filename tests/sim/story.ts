/** What happens to a property: its meters, what was read off them, and in which order that reaches the ledger. */
import { type Dated, line } from './model.ts';
import type { Random } from './random.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Two days before summer time begins in Europe. */
const BEGIN_MS = Date.UTC(2025, 2, 28);
const STEPS_MS = [
  15 * MINUTE_MS,
  HOUR_MS,
  HOUR_MS,
  6 * HOUR_MS,
  24 * HOUR_MS,
  24 * HOUR_MS,
  7 * 24 * HOUR_MS,
];

export const ZONES = ['UTC', 'Europe/Stockholm', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'];

/** How a meter is read. */
const HABITS = ['register', 'register', 'register', 'intervals', 'amounts', 'mixed'] as const;

/** A counter with a serial number; often nobody knows how many digits it has. */
export function deviceOf(random: Random) {
  return {
    serial_number: random.percent(50) ? `No. ${random.int(1, 99)}` : null,
    digits: random.percent(60) ? random.int(2, 5) : null,
    multiplier: random.percent(60) ? 1 : random.pick([2, 30, 40]),
  };
}

/** What a register counts to, whether somebody said so or not. */
const spanOf = (random: Random, digits: number | null) =>
  10n ** BigInt((digits ?? random.pick([3, 4, 9])) + 3);

interface State {
  at: number;
  register: bigint;
  /** What the register counts to. */
  span: bigint;
}

/** One reading or replacement, and where the next one begins. */
function lineOf(
  random: Random,
  habit: (typeof HABITS)[number],
  meter_id: number,
  before: State,
  is_orderly: boolean,
): { line: Dated; after: State } {
  const goesWrong = (cases: number) => !is_orderly && random.percent(cases);
  const apart_ms = random.pick(STEPS_MS) + (random.percent(5) ? random.int(1, 999) : 0);
  // Now and then the very next instant.
  const at = before.at + (random.percent(4) ? 1 : apart_ms);
  let used = BigInt(random.percent(20) ? random.int(0, 3) : random.int(0, 50_000));
  // A sauna, an electric car.
  if (random.percent(4)) used *= 40n;
  const { span } = before;
  const is_register =
    habit === 'register' || (habit !== 'intervals' && random.percent(habit === 'mixed' ? 50 : 2));
  let register = (before.register + used) % span;
  if (random.percent(6)) {
    const { serial_number: serial, digits, multiplier } = deviceOf(random);
    const initial = BigInt(random.percent(50) ? 0 : random.int(0, 90_000));
    const device = { serial, digits, multiplier, initial, value: register, at };
    const next = line({ meter_id, kind: 'device', ...device }) as Dated;
    return { line: next, after: { at, register: initial, span: spanOf(random, digits) } };
  }
  if (is_register) {
    // Replaced, and nobody wrote it down.
    if (goesWrong(5)) register = BigInt(random.int(0, 1000));
    // A slip of the pen: only this line is wrong.
    const value = goesWrong(4) ? register * 10n : register;
    const read = line({ meter_id, at, kind: 'absolute', value }) as Dated;
    return { line: read, after: { at, register, span } };
  }
  let since: number | null = null;
  if (habit === 'intervals' || random.percent(20)) {
    since = before.at;
    // Intervals that are missing in between, and now and then one that overlaps.
    if (goesWrong(12)) since = at - Math.ceil((at - before.at) * 0.4);
    if (goesWrong(3)) since = before.at - random.int(1, 2 * HOUR_MS);
  }
  const amount = line({ meter_id, at, kind: 'relative', value: used, since }) as Dated;
  return { line: amount, after: { at, register, span } };
}

/**
 * Everything that is ever read off one meter, in order of time, and what was installed there.
 * @param is_orderly nothing goes wrong: with meters that are known all the time, what is unmetered is known too
 * @param digits of the first device, if it is known
 */
export function readingsOf(
  random: Random,
  meter_id: number,
  is_orderly: boolean,
  digits: number | null,
): Dated[] {
  const habit = random.pick(HABITS);
  // Some histories are long enough for a change to reach over several pages of the projection.
  const few = is_orderly ? random.int(15, 30) : random.int(0, 30);
  const count = random.percent(15) ? random.int(50, 100) : few;
  const lines: Dated[] = [];
  const span = spanOf(random, digits);
  let before = {
    at: BEGIN_MS + (is_orderly ? 0 : random.int(0, 3) * 24 * HOUR_MS),
    register: BigInt(random.int(0, 5_000_000)) % span,
    span,
  };
  for (let i = 0; i < count; i++) {
    const { line: next, after } = lineOf(random, habit, meter_id, before, is_orderly);
    before = after;
    lines.push(next);
    if (next.kind === 'device') continue;
    if (random.percent(5)) next.note = `Read by ${random.pick(['Ada', 'Åke', 'Zoë'])}`;
    // Sent twice; and sent again with something else in it.
    if (random.percent(8)) lines.push({ ...next });
    if (random.percent(2)) lines.push({ ...next, value: next.value + 1n });
    if (random.percent(1)) lines.push({ ...next, kind: 'relative', since: null });
  }
  return lines;
}

/** The order in which readings arrive: as they were read, the newest first, late ones, or all mixed up. */
export function arriving(random: Random, lines: readonly Dated[]): Dated[] {
  const in_order = lines.toSorted((a, b) => a.at - b.at);
  switch (random.int(1, 4)) {
    case 1:
      return in_order;
    case 2:
      return in_order.reverse();
    case 3: {
      const late = new Set(in_order.filter(() => random.percent(15)));
      return [...in_order.filter((each) => !late.has(each)), ...random.shuffle([...late])];
    }
    default:
      return random.shuffle(in_order);
  }
}

/** An instant to ask about: often on a reading or at the beginning of an interval, sometimes right beside it. */
export function instantOf(
  random: Random,
  lines: readonly { at: number | null; since: number | null }[],
): number {
  const { at = null, since = null } = lines.length > 0 ? random.pick(lines) : {};
  if (at === null || random.percent(25)) return BEGIN_MS + random.int(-48, 24 * 60) * HOUR_MS;
  const edge = since !== null && random.percent(40) ? since : at;
  return random.percent(60) ? edge : edge + random.pick([-1, 1, -HOUR_MS, 1234567]);
}
