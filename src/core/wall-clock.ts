/** Times as a clock on the wall showed them: which instants they may have been. */
import { Temporal } from 'temporal-polyfill';

/** Clocks change at whole quarters of an hour: all times of one have the same offsets. */
const QUARTER_MS = 900_000;
const MAX_REMEMBERED = 50_000;

/** The instants of the wall clock of one zone. */
export class WallClock {
  readonly #timezone: string;
  readonly #offsets = new Map<number, number[]>();

  /** @param timezone IANA name, or an offset such as +01:00 */
  constructor(timezone: string) {
    this.#timezone = timezone;
  }

  /**
   * @param wall_ms what the clock showed, as epoch milliseconds if it had been UTC
   * @returns no instant for a time that was skipped, two (in order) for one that came twice, else one
   */
  instants(wall_ms: number): number[] {
    const quarter = Math.floor(wall_ms / QUARTER_MS) * QUARTER_MS;
    let offsets = this.#offsets.get(quarter);
    if (!offsets) {
      if (this.#offsets.size >= MAX_REMEMBERED) this.#offsets.clear();
      offsets = this.#offsetsAt(quarter);
      this.#offsets.set(quarter, offsets);
    }
    return offsets.map((offset_ms) => wall_ms - offset_ms);
  }

  #offsetsAt(wall_ms: number): number[] {
    const shown = new Date(wall_ms).toISOString().slice(0, -1);
    const plain = Temporal.PlainDateTime.from(shown);
    const [earlier, later] = (['earlier', 'later'] as const).map((disambiguation) =>
      plain.toZonedDateTime(this.#timezone, { disambiguation }),
    );
    if (!earlier!.toPlainDateTime().equals(plain)) return [];
    const instants = [...new Set([earlier!.epochMilliseconds, later!.epochMilliseconds])];
    return instants.map((instant_ms) => wall_ms - instant_ms);
  }
}
