// Where a pane's terminal is in the pane's output.

import type { Cells, OutputFrame } from "../net/frame.ts";

/** The bytes that follow what the terminal had. */
export interface Output {
  kind: "output";
  /** They were shown to somebody before: the terminal must not act on them. */
  history: boolean;
  bytes: Uint8Array;
  /** The offset after the last byte. */
  end: number;
}

/** A screen that takes the place of everything that the terminal had. */
export interface Restart {
  kind: "restart";
  /** The terminal's size from now on; left out: it stays. */
  size: Cells | undefined;
  /** What shows the screen on a terminal that was just reset, in order. */
  parts: Uint8Array[];
  /** How many rows of scrollback were asked for with it; 0: it came by itself. */
  asked: number;
  /** The offset of what follows. */
  end: number;
}

/** What a terminal is given. */
export type OutputPiece = Output | Restart;

/** One pane's output, as far as it has arrived. */
export class OutputStream {
  /** The offset of the first byte that has not arrived; `undefined`: nothing has. */
  #next: number | undefined;
  /** Output before this offset is history. */
  #head = 0;
  /** How many rows of scrollback the next snapshot was asked to bring along. */
  #asked = 0;
  /** The snapshot that is arriving, as far as it has. */
  #parts: { offset: number; payloads: Uint8Array[] } | undefined;

  /** From where on the gateway is to send; `undefined`: from as early as it can. */
  get next(): number | undefined {
    return this.#next;
  }

  /** The gateway answered a watch that asked for `asked` rows of scrollback: what comes before `head` is history. */
  watching(head: number, asked: number): void {
    this.#head = head;
    this.#asked = asked;
    this.#parts = undefined;
  }

  /** What the terminal is to be given of a frame. Bytes that it already had are left out. */
  take(frame: OutputFrame): OutputPiece[] {
    switch (frame.kind) {
      case "output":
        return this.#output(frame);
      case "part":
        this.#keep(frame);
        return [];
      case "restart":
        return [this.#restart(this.#keep(frame), frame)];
    }
  }

  /** Adds to the snapshot that is arriving. Parts of one that was broken off are forgotten. */
  #keep({ offset, payload }: OutputFrame): Uint8Array[] {
    if (this.#parts?.offset !== offset) this.#parts = { offset, payloads: [] };
    this.#parts.payloads.push(payload);
    return this.#parts.payloads;
  }

  #restart(parts: Uint8Array[], { offset, size }: OutputFrame): Restart {
    const asked = this.#asked;
    this.#asked = 0;
    this.#parts = undefined;
    this.#next = offset;
    return { kind: "restart", size, parts, asked, end: offset };
  }

  #output({ offset, payload, size }: OutputFrame): OutputPiece[] {
    const next = this.#next;
    this.#next = Math.max(next ?? 0, offset + payload.length);
    // A gap would leave the terminal in a state that no program meant; showing what follows cleanly is better.
    if (next === undefined || offset > next) {
      return [{ kind: "restart", size, parts: [payload], asked: 0, end: this.#next }];
    }
    const bytes = payload.subarray(next - offset);
    return bytes.length === 0 ? [] : this.#divide(bytes, next);
  }

  /** Cuts at the head, so that each piece is either history or new. */
  #divide(bytes: Uint8Array, offset: number): Output[] {
    const old = Math.min(Math.max(this.#head - offset, 0), bytes.length);
    const piece = (history: boolean, from: number, to: number): Output => {
      return { kind: "output", history, bytes: bytes.subarray(from, to), end: offset + to };
    };
    if (old === 0 || old === bytes.length) return [piece(old > 0, 0, bytes.length)];
    return [piece(true, 0, old), piece(false, old, bytes.length)];
  }
}
