// What a page has of a pane's scrollback, and when it asks for more. Knows no clock: every call brings the time in
// milliseconds.

/** How many rows are fetched before anybody looks. */
export const AHEAD_ROWS = 1_000;

/** How many rows are fetched for somebody who looks: all that a terminal keeps. */
export const ALL_ROWS = 10_000;

/** How long a pane has to be quiet before rows are fetched that nobody looks at. */
const QUIET_MS = 500;

/** A fetch that is to come. */
export interface Fetch {
  rows: number;
  /** In so many milliseconds. */
  wait: number;
  /** Somebody waits for it. */
  wanted: boolean;
}

/** One pane's scrollback. */
export class Scrollback {
  /** How many rows were asked for with what is shown; 0: the screen alone. */
  #asked = 0;
  /** Whether there may be more than what is shown; not before there is a screen at all. */
  #more = false;
  /** Whether an answer is under way. */
  #fetching = false;
  /** How many rows somebody waits for. */
  #wanted = 0;
  /** Whether rows are to be fetched once the pane is quiet. */
  #ahead = false;
  /** Whether this page's user has thrown the scrollback away: it comes back only when asked for. */
  #cleared = false;
  /** When the pane was last not quiet. */
  #busy = 0;

  /** A snapshot is shown that was asked for with `asked` rows of scrollback and has `rows`. */
  restarted(asked: number, rows: number, now: number): void {
    this.#asked = asked;
    // Fewer rows than asked for are all that there are.
    this.#more = asked === 0 || rows >= asked;
    this.#ahead = asked === 0 && !this.#cleared;
    if (asked > 0) this.#fetching = false;
    if (asked >= this.#wanted) this.#wanted = 0;
    this.#busy = now;
  }

  /** Output came. */
  output(now: number): void {
    this.#busy = now;
  }

  /** Somebody looks at what is above the screen; `atTop`: at the oldest row that is there. Returns whether more comes. */
  lookedUp(atTop: boolean): boolean {
    if (atTop || this.#asked === 0) this.wantAll();
    return this.#wanted > 0;
  }

  /** Somebody needs all of it. */
  wantAll(): void {
    if (this.#more && this.#asked < ALL_ROWS) this.#wanted = ALL_ROWS;
  }

  /** The user threw what was shown away. */
  cleared(): void {
    this.#cleared = true;
    this.#more = false;
    this.#ahead = false;
    this.#wanted = 0;
  }

  /** What is to be fetched next. */
  next(now: number): Fetch | undefined {
    if (this.#fetching) return undefined;
    if (this.#wanted > 0) return { rows: this.#wanted, wait: 0, wanted: true };
    if (!this.#ahead) return undefined;
    return { rows: AHEAD_ROWS, wait: Math.max(0, this.#busy + QUIET_MS - now), wanted: false };
  }

  /** It was asked for. */
  fetching(): void {
    this.#fetching = true;
  }

  /** The connection that was asked is gone. */
  interrupted(): void {
    if (this.#fetching) this.failed();
  }

  /** No answer will come. It is asked for again when somebody looks, and not before. */
  failed(): void {
    this.#fetching = false;
    this.#wanted = 0;
    this.#ahead = false;
  }
}
