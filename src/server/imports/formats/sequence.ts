/** Instants of wall clock times, where the order of the rows tells which of two is meant. */
import type { WallClock } from '../../../core/wall-clock.ts';
import type { Found } from './format.ts';

const NO_SUCH_TIME = (zone: string) =>
  `did not exist: clocks in ${zone} were put forward. If the file's clock was not, say timezone=+01:00 or what it was`;
const TWICE = (zone: string) =>
  `existed twice: clocks in ${zone} were put back, and the order of the rows does not tell which one is meant. Say ` +
  'timezone=+01:00 or what the file was written in';

/** A row whose time came twice, until the order of the rows tells which of the two it is. */
interface Waiting {
  wall_ms: number;
  instants: number[];
  take: (instant_ms: number) => void;
  line: number;
}
/** So many rows may wait: a file whose rows all stand in one hour is no series of readings. */
const MAX_WAITING = 10_000;

/** Of the rows of one meter, or of all where a row has all of them. */
export class Sequence {
  readonly #clock: WallClock;
  readonly #of: { timezone: string; is_ascending: boolean; column: string };
  #waiting: Waiting[] = [];
  #is_second = false;
  constructor(clock: WallClock, of: { timezone: string; is_ascending: boolean; column: string }) {
    this.#clock = clock;
    this.#of = of;
  }

  /** @param take gets the instant, now or once a later row has told; the found get the errors meanwhile */
  place(line: number, wall_ms: number, found: Found, take: (instant_ms: number) => void): void {
    const instants = this.#clock.instants(wall_ms);
    const { timezone, is_ascending, column } = this.#of;
    if (instants.length < 2) {
      this.flush(found);
      if (instants.length === 1) take(instants[0]!);
      else found.errors.push({ line, column, message: NO_SUCH_TIME(timezone) });
      return;
    }
    const last = this.#waiting.at(-1);
    const came_back = last && (is_ascending ? wall_ms <= last.wall_ms : wall_ms >= last.wall_ms);
    const [first_pass, second_pass] = is_ascending ? [0, 1] : [1, 0];
    if (came_back) {
      for (const each of this.#waiting) each.take(each.instants[first_pass]!);
      this.#waiting = [];
      this.#is_second = true;
    }
    if (this.#is_second) take(instants[second_pass]!);
    else this.#waiting.push({ line, wall_ms, instants, take });
    if (this.#waiting.length > MAX_WAITING) this.flush(found);
  }

  /** What the order has not told by now, it does not tell. */
  flush(found: Found): void {
    const { timezone, column } = this.#of;
    for (const { line } of this.#waiting) found.errors.push({ line, column, message: TWICE(timezone) });
    this.#waiting = [];
    this.#is_second = false;
  }
}
