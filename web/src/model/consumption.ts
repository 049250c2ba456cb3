// When the gateway is told how far a terminal has got: soon enough to go on sending, and not for every few bytes.

/** How often it is told while there is more to parse, in milliseconds. */
const PACE_MS = 4;

/** After so many bytes it is told in any case. */
const STEP_BYTES = 16 << 10;

/** What one pane's terminal has taken in. */
export class Consumption {
  #told = 0;
  /** Bytes taken in since the gateway was told. */
  #untold = 0;

  /**
   * The terminal has taken in `bytes` more; `idle`: all that it was given. Whether the gateway is to be told now.
   * `now` in milliseconds.
   */
  parsed(bytes: number, idle: boolean, now: number): boolean {
    this.#untold += bytes;
    if (!idle && this.#untold < STEP_BYTES && now - this.#told < PACE_MS) return false;
    this.#told = now;
    this.#untold = 0;
    return true;
  }
}
