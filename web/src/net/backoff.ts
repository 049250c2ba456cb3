// How long to wait before the next try to connect.

/** The first wait, in milliseconds, before jitter. */
const FIRST_MS = 250;

/** The longest wait, in milliseconds, before jitter. */
const LONGEST_MS = 15_000;

/** How long a connection has to last, in milliseconds, to count: who lets one in and closes it at once is not hammered. */
const STEADY_MS = 1_000;

/** Doubles the wait with every failure; half of it is random, so that many pages do not come back at once. */
export class Backoff {
  #failures = 0;

  /** The next wait in milliseconds; `random` is in [0, 1). */
  next(random: number): number {
    const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    return Math.round(full * (0.5 + random / 2));
  }

  /** A connection is gone that was open for so many milliseconds. */
  ended(openMs: number): void {
    if (openMs >= STEADY_MS) this.reset();
  }

  /** Starts over with the shortest wait. */
  reset(): void {
    this.#failures = 0;
  }
}
