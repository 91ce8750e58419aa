/** How many requests a client may send: a quota per class of calls and window of time. */
export const LIMITS = {
  read: { quota: 1200, window_s: 60, shared: false, covers: 'whatever only reads' },
  write: { quota: 600, window_s: 60, shared: false, covers: 'whatever records or changes something' },
  sign_in: { quota: 60, window_s: 600, shared: true, covers: 'accounts and passwords, by client address' },
  export: { quota: 30, window_s: 600, shared: true, covers: 'downloads of everything' },
} as const satisfies Record<string, Limit>;

interface Limit {
  quota: number;
  /** Seconds; windows begin at whole multiples of it. */
  window_s: number;
  /** Whether all instances of the server count together, and a restart forgets nothing. */
  shared: boolean;
  /** Which calls it is about, for the documentation. */
  covers: string;
}

export type LimitName = keyof typeof LIMITS;
