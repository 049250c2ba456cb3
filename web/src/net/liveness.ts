// Tells a silent connection from a dead one. Knows no clock: every call brings the time in milliseconds.

/** After this long without a word from the gateway, it is asked for one. */
const QUIET_MS = 15_000;

/** This long after having been asked, the gateway is given up. */
const ANSWER_MS = 10_000;

/** What to do about a connection. */
export type Verdict = "fine" | "ask" | "dead";

/** Watches one connection. */
export class Liveness {
  /** When the gateway was last heard. */
  #heard: number;
  /** When it was asked, if it has said nothing since. */
  #asked: number | undefined;

  constructor(now: number) {
    this.#heard = now;
  }

  /** Something arrived. */
  heard(now: number): void {
    this.#heard = now;
    this.#asked = undefined;
  }

  /** To be called every few seconds; after `ask` the caller sends a ping. */
  check(now: number): Verdict {
    if (this.#asked !== undefined) return now - this.#asked > ANSWER_MS ? "dead" : "fine";
    if (now - this.#heard < QUIET_MS) return "fine";
    this.#asked = now;
    return "ask";
  }
}
