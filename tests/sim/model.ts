/**
 * The ledger as one would keep it on paper: a list of what was written, everything else worked out from the list anew
 * each time. Slow and plain on purpose, and written without the core's code: the two agree only if both are right.
 */

/** A line of the list: a reading, something said of a device, or that another line does not hold. */
export interface Line {
  /** The number the ledger gave it; 0 until it has one. */
  id: number;
  batch_id: number;
  source: 'manual' | 'import';
  meter_id: number;
  kind: 'absolute' | 'relative' | 'device' | 'void';
  /** Null for what was there before the first reading, and for what only strikes another line out. */
  at: number | null;
  /** Of a device: the last that the one before it showed. */
  value: bigint | null;
  /** Where the interval of a relative reading begins, if it says so. */
  since: number | null;
  /** Where the register begins again, if somebody said that it did. */
  rollover: bigint | null;
  confirmed: boolean;
  /** The first that a device showed. */
  initial: bigint | null;
  serial: string | null;
  digits: number | null;
  multiplier: number | null;
  note: string | null;
  /** The line that this one takes the place of. */
  supersedes: number | null;
  reason: string | null;
}

/** A line that stands at an instant. */
export type Dated = Line & { at: number; value: bigint };

export type Boundary = 'interpolate' | 'exact';

/** Why nothing may be written, and the lines of the list that stand in the way. */
export interface Refused {
  refusal:
    | 'reading_conflict'
    | 'interval_overlap'
    | 'batch_superseded'
    | 'device_described'
    | 'validation_failed';
  in_the_way: Line[];
}

/** A line with everything that is not said left empty. */
export function line(said: Partial<Line> & Pick<Line, 'meter_id' | 'kind'>): Line {
  return {
    id: 0,
    batch_id: 0,
    source: 'manual',
    at: null,
    value: null,
    since: null,
    rollover: null,
    confirmed: false,
    initial: null,
    serial: null,
    digits: null,
    multiplier: null,
    note: null,
    supersedes: null,
    reason: null,
    ...said,
  };
}

/** The line that took the place of another. */
export const successorOf = (list: readonly Line[], { id }: Line) =>
  list.find(({ supersedes }) => supersedes !== null && supersedes === id);

/** What is neither struck out nor replaced. */
export function inForce(list: readonly Line[]): Line[] {
  const gone = new Set(list.map(({ supersedes }) => supersedes));
  return list.filter(({ id, kind }) => kind !== 'void' && (id === 0 || !gone.has(id)));
}

export const isReading = (each: Line): each is Dated => each.kind === 'absolute' || each.kind === 'relative';

/** One meter's lines in force, in order of time, without its first device. */
export function ofMeter(list: readonly Line[], meter_id: number): Dated[] {
  const dated = inForce(list).filter((each): each is Dated => each.meter_id === meter_id && each.at !== null);
  return dated.sort((a, b) => a.at - b.at);
}

/** A meter's devices in force, in the order in which they were installed. */
export function devicesOf(list: readonly Line[], meter_id: number): Line[] {
  const devices = inForce(list).filter((each) => each.meter_id === meter_id && each.kind === 'device');
  return devices.sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
}

const MAX_RATE = BigInt(Number.MAX_SAFE_INTEGER);

/** The device whose register a meter shows up to an instant, which may be the instant of its replacement. */
export const deviceAt = (list: readonly Line[], meter_id: number, at: number) =>
  devicesOf(list, meter_id).findLast((device) => device.at === null || device.at < at);

/** Whether a register value has more digits than the device that showed it, as far as anybody knows. */
export const isTooLong = (value: bigint | null, device: Line | undefined) =>
  value !== null && device?.digits != null && value >= 10n ** BigInt(device.digits + 3);

/** Whether something that was read off a device, its last register included, has more digits than it. */
export function showsTooMuch(list: readonly Line[], device: Line): boolean {
  const shown = ofMeter(list, device.meter_id).filter(({ kind }) => kind !== 'relative');
  return shown.some(
    ({ at, value }) => deviceAt(list, device.meter_id, at) === device && isTooLong(value, device),
  );
}

/** What stands in the way of adding lines to the list; null if nothing does. */
export function obstacle(list: readonly Line[], added: readonly Line[]): Refused | null {
  const together = inForce([...list, ...added]);
  const pairs = (stands: (a: Line, b: Line) => boolean) =>
    together.flatMap((a) =>
      together.filter((b) => a !== b && a.meter_id === b.meter_id && stands(a, b)).flatMap((b) => [a, b]),
    );
  const there = (lines: Line[]) => lines.filter((each) => !added.includes(each));
  const first_devices = pairs((a, b) => a.at === null && b.at === null);
  if (first_devices.length > 0) return { refusal: 'device_described', in_the_way: there(first_devices) };
  const at_once = pairs((a, b) => a.at !== null && a.at === b.at);
  if (at_once.length > 0) return { refusal: 'reading_conflict', in_the_way: there(at_once) };
  const twice = pairs((a, b) => a.since !== null && b.at !== null && b.at > a.since && b.at < a.at!);
  if (twice.length > 0) return { refusal: 'interval_overlap', in_the_way: there(twice) };
  return null;
}

/** What a batch of readings adds to the list, and how many of its lines are there already; or why it is refused. */
export function judge(
  list: readonly Line[],
  batch: readonly Dated[],
): { fresh: Line[]; unchanged: number } | Refused {
  const isSame = (a: Line, b: Line) => a.value === b.value && a.kind === b.kind && a.since === b.since;
  const now = inForce(list);
  const fresh: Line[] = [];
  let unchanged = 0;
  for (const sent of batch) {
    const isAtSame = (other: Line) => other.meter_id === sent.meter_id && other.at === sent.at;
    const there = now.find(isAtSame);
    const twin = fresh.find(isAtSame);
    const is_repeated = batch.findIndex((each) => isAtSame(each)) < batch.indexOf(sent);
    if (there && !is_repeated) unchanged += 1;
    if ((there && !isSame(there, sent)) || (twin && !isSame(twin, sent))) {
      return { refusal: 'reading_conflict', in_the_way: there ? [there] : [] };
    }
    if (!there && !twin) fresh.push(sent);
  }
  const is_too_long = fresh.some(
    ({ kind, value, meter_id, at }) => kind === 'absolute' && isTooLong(value, deviceAt(list, meter_id, at!)),
  );
  const too_long: Refused | null = is_too_long ? { refusal: 'validation_failed', in_the_way: [] } : null;
  return too_long ?? obstacle(list, fresh) ?? { fresh, unchanged };
}

/** The lines that undo a batch; or why it cannot be undone. */
export function undoing(list: readonly Line[], batch_id: number, reason: string | null): Line[] | Refused {
  const batch = list.filter((each) => each.batch_id === batch_id);
  const changed = batch.flatMap((each) => successorOf(list, each) ?? []);
  if (changed.length > 0) return { refusal: 'batch_superseded', in_the_way: changed };
  const added = batch.map(({ id, meter_id, supersedes }) => {
    const before = list.find((each) => each.id === supersedes);
    const again: Line = before ?? line({ meter_id, kind: 'void' });
    const why = { id: 0, source: 'manual', supersedes: id, reason } as const;
    return again.kind === 'void' ? line({ meter_id, kind: 'void', ...why }) : { ...again, ...why };
  });
  return obstacle(list, added) ?? added;
}

/** Everything that was ever said in the place of one line, oldest first. */
export function trail(list: readonly Line[], of: Line): Line[] {
  let first = of;
  while (first.supersedes !== null) first = list.find(({ id }) => id === first.supersedes)!;
  const steps = [first];
  for (let next = successorOf(list, first); next; next = successorOf(list, next)) steps.push(next);
  return steps;
}

/** A row of a meter's book: a line and what follows from it. */
export interface Row {
  line: Dated;
  /** Energy that was used evenly since an instant; null where nobody knows what was used. */
  stretch: { from: number; to: number; used: bigint } | null;
  /** What the register stands at from here on, times its multiplier; null where nobody knows. */
  register: bigint | null;
  decreased: boolean;
  rolled_over: boolean;
  implausible: boolean;
  rate: bigint | null;
  is_highest: boolean;
  rates: number;
}

/** The energy a register counts before it begins again, if it did; null if that does not explain what it shows. */
function rolledOver(
  { rollover }: Line,
  digits: number | null,
  multiplier: bigint,
  down: bigint,
): bigint | null {
  if (rollover !== null) return rollover * multiplier < down ? null : rollover * multiplier - down;
  if (digits === null) return null;
  const span = 10n ** BigInt(digits + 3) * multiplier;
  return down > span || (span - down) * 10n > span ? null : span - down;
}

/** The book of one meter. @param factor times the highest rate so far that is implausible */
export function book(list: readonly Line[], meter_id: number, factor: number | null): Row[] {
  const first = devicesOf(list, meter_id).find(({ at }) => at === null);
  let digits = first?.digits ?? null;
  let multiplier = BigInt(first?.multiplier ?? 1);
  let register: bigint | null = null;
  let before: number | null = null;
  let peak = 0n;
  let judged = 0;
  const rows: Row[] = [];
  for (const each of ofMeter(list, meter_id)) {
    const { at, value, since } = each;
    const row: Row = {
      ...{ line: each, stretch: null, register: null, decreased: false, rolled_over: false },
      ...{ implausible: false, is_highest: false, rate: null, rates: judged },
    };
    if (each.kind === 'relative') {
      const from: number | null = since ?? before;
      if (from !== null) row.stretch = { from, to: at, used: value };
      register = register !== null && from === before ? register + value : null;
    } else {
      const shows: bigint = value * multiplier;
      if (register !== null && before !== null) {
        let used: bigint | null = shows - register;
        if (used < 0n) {
          used = rolledOver(each, digits, multiplier, -used);
          row.rolled_over = used !== null;
          row.decreased = used === null;
        }
        if (used !== null) row.stretch = { from: before, to: at, used };
      }
      register = shows;
    }
    if (each.kind === 'device') {
      digits = each.digits;
      multiplier = BigInt(each.multiplier!);
      register = each.initial! * multiplier;
    }
    if (row.stretch) {
      const { from, to, used } = row.stretch;
      const length = BigInt(to - from);
      const exact = (used * 3_600_000n + length - 1n) / length;
      // All of a meter's energy within a millisecond is a rate beyond exact numbers.
      const rate = exact > MAX_RATE ? MAX_RATE : exact;
      const usual = peak > 100n ? peak : 100n;
      row.implausible = factor !== null && !each.confirmed && judged >= 3 && rate > BigInt(factor) * usual;
      row.rate = rate;
      row.is_highest = !row.implausible && rate > peak;
      if (row.is_highest) peak = rate;
      if (judged < 4) judged += 1;
    }
    rows.push(Object.assign(row, { register, rates: judged }));
    before = at;
  }
  return rows;
}

/** What the projection must say of one meter, column by column. */
export function projection(list: readonly Line[], meter_id: number, factor: number | null) {
  const rows = book(list, meter_id, factor);
  // Energy counts from what the first register showed; an interval before everything else counts from 0.
  const first = devicesOf(list, meter_id).find(({ at }) => at === null);
  const [start] = rows;
  let energy =
    start && start.line.kind !== 'relative' ? start.line.value * BigInt(first?.multiplier ?? 1) : 0n;
  let gap = 0;
  return rows.map(({ line: each, stretch, register, ...row }, i) => {
    const { id, at, kind, value, since, rollover, confirmed } = each;
    if (stretch) energy += stretch.used;
    if (i > 0) gap += at - rows[i - 1]!.line.at - (stretch ? stretch.to - stretch.from : 0);
    return {
      meter_id,
      reading_timestamp: at,
      entry_id: id,
      reading_type: ['absolute', 'relative', 'device'].indexOf(kind),
      value_wh: Number(value),
      period_start: since,
      rollover_wh: rollover === null ? null : Number(rollover),
      confirmed: Number(confirmed),
      energy_wh: Number(energy),
      offset_wh: register === null ? null : Number(energy - register),
      gap_ms: gap,
      rate_w: row.rate === null ? null : Number(row.rate),
      stretches: row.rates,
      is_highest: Number(row.is_highest),
      decreased: Number(row.decreased),
      rolled_over: Number(row.rolled_over),
      implausible: Number(row.implausible),
    };
  });
}

type Stretch = NonNullable<Row['stretch']>;

/** The part of a stretch that was used up to an instant, to the nearest Wh, halves upwards. */
function usedUntil({ from, to, used }: Stretch, at: number): bigint {
  const length = BigInt(to - from);
  return (2n * used * BigInt(at - from) + length) / (2n * length);
}

export interface Used {
  consumption: bigint | null;
  known: bigint | null;
  coverage: number;
  estimated: boolean;
}

/** Consumption of one meter, stretch by stretch. */
export function consumption(rows: readonly Row[], start: number, end: number, boundary: Boundary): Used {
  let sum = 0n;
  let known_ms = 0;
  let estimated = false;
  for (const { stretch } of rows) {
    if (!stretch) continue;
    const from = Math.max(start, stretch.from);
    const to = Math.min(end, stretch.to);
    if (from >= to) continue;
    const is_cut = from > stretch.from || to < stretch.to;
    if (is_cut && boundary === 'exact') continue;
    if (is_cut) estimated = true;
    sum += usedUntil(stretch, to) - usedUntil(stretch, from);
    known_ms += to - from;
  }
  return {
    consumption: known_ms === end - start ? sum : null,
    known: known_ms === 0 ? null : sum,
    coverage: known_ms / (end - start),
    estimated,
  };
}

/** What none of the direct children measured. */
export function rest(main: Used, children: readonly Used[]) {
  const all_children = children.every((child) => child.consumption !== null);
  const total =
    all_children && (children.length > 0 || main.consumption !== null)
      ? children.reduce((sum, child) => sum + child.consumption!, 0n)
      : null;
  if (main.consumption === null || total === null) return { total, unmetered: null, imbalance: null };
  const difference = main.consumption - total;
  return difference < 0n
    ? { total, unmetered: 0n, imbalance: difference }
    : { total, unmetered: difference, imbalance: null };
}

/** Wh as kWh, the way it is written on the wire. */
export function kwh(value: bigint | null): string | null {
  if (value === null) return null;
  const digits = String(value < 0n ? -value : value).padStart(4, '0');
  const text = `${digits.slice(0, -3)}.${digits.slice(-3)}`.replace(/\.?0+$/, '');
  return value < 0n ? `-${text}` : text;
}
