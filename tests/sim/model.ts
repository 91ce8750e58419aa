/**
 * The ledger as one would keep it on paper: a list of what was read, everything else worked out from the list anew
 * each time. Slow and plain on purpose, and written without the core's code: the two agree only if both are right.
 */

/** A line of the list. */
export interface Line {
  meter_id: number;
  at: number;
  kind: 'absolute' | 'relative';
  value: bigint;
  /** Where the interval of a relative reading begins, if it says so. */
  since: number | null;
}

export type Boundary = 'interpolate' | 'exact';
/** What a batch adds to the list, and how many of its lines are there already. */
export interface Taken {
  fresh: Line[];
  unchanged: number;
}

/** Why a batch is refused, and the lines of the list that stand in its way. */
export interface Refused {
  refusal: 'reading_conflict' | 'interval_overlap';
  in_the_way: Line[];
}

const isSame = (a: Line, b: Line) => a.value === b.value && a.kind === b.kind && a.since === b.since;
const isAtSame = (a: Line, b: Line) => a.meter_id === b.meter_id && a.at === b.at;

/** A meter's lines in order of time. */
export function ofMeter(list: readonly Line[], meter_id: number): Line[] {
  return list.filter((line) => line.meter_id === meter_id).sort((a, b) => a.at - b.at);
}

/** What happens to a batch: it is taken whole or not at all. */
export function judge(list: readonly Line[], batch: readonly Line[]): Taken | Refused {
  const fresh: Line[] = [];
  let unchanged = 0;
  for (const line of batch) {
    const there = list.find((other) => isAtSame(other, line));
    const twin = fresh.find((other) => isAtSame(other, line));
    if (there) unchanged += 1;
    if ((there && !isSame(there, line)) || (twin && !isSame(twin, line))) {
      return { refusal: 'reading_conflict', in_the_way: there ? [there] : [] };
    }
    if (!there && !twin) fresh.push(line);
  }
  const together = [...list, ...fresh];
  const overlapping = together.flatMap((line) =>
    together
      .filter(
        ({ meter_id, at }) => meter_id === line.meter_id && at > (line.since ?? line.at) && at < line.at,
      )
      .flatMap((crossed) => [line, crossed]),
  );
  if (overlapping.length > 0) {
    const in_the_way = overlapping.filter((line) => !fresh.includes(line));
    return { refusal: 'interval_overlap', in_the_way };
  }
  return { fresh, unchanged };
}

/** What the register shows, or would show, at each line of one meter; null where nobody can know. */
function registers(lines: readonly Line[]): (bigint | null)[] {
  const shown: (bigint | null)[] = [];
  for (const [i, line] of lines.entries()) {
    const before = shown[i - 1] ?? null;
    const follows = i > 0 && (line.since === null || line.since === lines[i - 1]!.at);
    if (line.kind === 'absolute') shown.push(line.value);
    else shown.push(follows && before !== null ? before + line.value : null);
  }
  return shown;
}

/** Energy that was used evenly between two instants. */
interface Stretch {
  /** The place of the line that ends it. */
  line: number;
  from: number;
  to: number;
  used: bigint;
}

/** All that is known of one meter's energy. */
export function stretches(lines: readonly Line[]): Stretch[] {
  const shown = registers(lines);
  return lines.flatMap((line, i) => {
    const from = line.since ?? lines[i - 1]?.at;
    if (from === undefined) return [];
    if (line.kind === 'relative') return [{ line: i, from, to: line.at, used: line.value }];
    const before = shown[i - 1] ?? null;
    if (before === null || line.value < before) return [];
    return [{ line: i, from, to: line.at, used: line.value - before }];
  });
}

/** The lines of one meter at which the register went down, each with the stretch that nobody knows. */
export function decreases(lines: readonly Line[]) {
  const shown = registers(lines);
  return lines.flatMap((line, i) => {
    const before = shown[i - 1] ?? null;
    return line.kind === 'absolute' && before !== null && line.value < before
      ? [{ line, from: lines[i - 1]!.at, to: line.at }]
      : [];
  });
}

/** What the projection must say of one meter, column by column. */
export function projection(lines: readonly Line[]) {
  const known = stretches(lines);
  const shown = registers(lines);
  const down = decreases(lines).map(({ line }) => line);
  return lines.map((line, i) => {
    const until = known.filter((stretch) => stretch.line <= i);
    const used = until.reduce((sum, stretch) => sum + stretch.used, 0n);
    // Energy counts from what the first register showed; an interval before everything else counts from 0.
    const energy = used + (lines[0]!.kind === 'absolute' ? lines[0]!.value : 0n);
    const since_first = until.filter((stretch) => stretch.line > 0);
    const known_ms = since_first.reduce((sum, { from, to }) => sum + (to - from), 0);
    const register = shown[i]!;
    return {
      meter_id: line.meter_id,
      reading_timestamp: line.at,
      is_relative: line.kind === 'relative' ? 1 : 0,
      value_wh: Number(line.value),
      period_start: line.since,
      energy_wh: Number(energy),
      offset_wh: register === null ? null : Number(energy - register),
      gap_ms: line.at - lines[0]!.at - known_ms,
      decreased: down.includes(line) ? 1 : 0,
    };
  });
}

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
export function consumption(known: readonly Stretch[], start: number, end: number, boundary: Boundary): Used {
  let sum = 0n;
  let known_ms = 0;
  let estimated = false;
  for (const stretch of known) {
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
