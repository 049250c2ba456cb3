// Where a pane's terminal is in the pane's output.

import type { OutputFrame } from "../net/frame.ts";

/** Bytes for the terminal. */
export interface OutputPiece {
  /** The terminal is reset before it takes them. */
  reset: boolean;
  /** They were shown to somebody before: the terminal must not answer them. */
  history: boolean;
  /** The bytes. */
  bytes: Uint8Array;
}

/** One pane's output, as far as it has arrived. */
export class OutputStream {
  /** The offset of the first byte that has not arrived; `undefined`: nothing has. */
  #next: number | undefined;
  /** Output before this offset is history. */
  #head = 0;

  /** From where on the gateway is to send; `undefined`: from as early as it can. */
  get next(): number | undefined {
    return this.#next;
  }

  /** The gateway answered a watch: what comes before `head` is history. */
  watching(head: number): void {
    this.#head = head;
  }

  /** What the terminal is to be given of a frame. Bytes that it already had are left out. */
  take(frame: OutputFrame): OutputPiece[] {
    // A gap would leave the terminal in a state that no program meant; showing what follows cleanly is better.
    const reset = frame.kind === "restart" || this.#next === undefined || frame.offset > this.#next;
    const skip = reset ? 0 : Math.min((this.#next ?? 0) - frame.offset, frame.payload.length);
    const bytes = frame.payload.subarray(skip);
    const offset = frame.offset + skip;
    if (bytes.length === 0 && !reset) return [];
    this.#next = offset + bytes.length;
    return this.#divide(bytes, offset, reset);
  }

  /** Cuts at the head, so that each piece is either history or new. */
  #divide(bytes: Uint8Array, offset: number, reset: boolean): OutputPiece[] {
    const old = Math.min(Math.max(this.#head - offset, 0), bytes.length);
    if (old === 0 || old === bytes.length) return [{ reset, history: old > 0, bytes }];
    return [
      { reset, history: true, bytes: bytes.subarray(0, old) },
      { reset: false, history: false, bytes: bytes.subarray(old) },
    ];
  }
}
