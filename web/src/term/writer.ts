// Gives a terminal its output piece by piece, and puts snapshots in the place of what it showed.

import type { Terminal } from "@xterm/xterm";
import type { OutputPiece, Restart } from "../model/stream.ts";

/** `ESC c`: resets a terminal whatever it was in the middle of. As bytes, so that it also ends a cut character. */
const RESET = Uint8Array.of(0x1b, 0x63);

/** What a writer tells its owner. */
export interface WriterEvents {
  /** A piece of output has been taken in; `idle`: all that came. */
  parsed(piece: OutputPiece, idle: boolean): void;
  /** A snapshot is shown that was asked for with `asked` rows of scrollback and has `rows`. */
  restarted(asked: number, rows: number): void;
  /** Somebody looks at what is above the screen; `atTop`: at the oldest row that is there. Returns whether more comes. */
  lookedUp(atTop: boolean): boolean;
}

/** The part of a terminal that a writer needs. */
export type Written = Pick<Terminal, "write" | "resize" | "scrollLines" | "buffer">;

/** The output of one terminal. */
export class Writer {
  #terminal: Written;
  #events: WriterEvents;
  /** What the terminal was given and is parsing, oldest first. */
  #parsing: OutputPiece[] = [];
  /** What waits until all of that is parsed, beginning with a snapshot. */
  #waiting: OutputPiece[] = [];
  /** How far above the bottom the user wants to look as soon as there is as much scrollback, in rows. */
  #owed = 0;

  constructor(terminal: Written, events: WriterEvents) {
    this.#terminal = terminal;
    this.#events = events;
  }

  /** Whether what is being parsed was shown to somebody before. */
  get isReplaying(): boolean {
    const piece = this.#parsing[0];
    return piece !== undefined && (piece.kind === "restart" || piece.history);
  }

  /** Whether a snapshot is being applied. */
  get isRestarting(): boolean {
    return this.#parsing[0]?.kind === "restart";
  }

  /** Takes a piece in. */
  write(piece: OutputPiece): void {
    this.#waiting.push(piece);
    this.#next();
  }

  /** The user looks so many rows further up than there is anything yet. */
  lookFurtherUp(rows: number): void {
    const { baseY, viewportY } = this.#terminal.buffer.active;
    this.#owed = Math.max(baseY - viewportY, this.#owed) + rows;
  }

  /** The user went elsewhere, or typed: where they looked before is of no concern any more. */
  forgetPlace(): void {
    this.#owed = 0;
  }

  /**
   * A snapshot changes the terminal's size, so nothing from before it may be left to parse, and nothing from after
   * it may be given yet.
   */
  #next(): void {
    for (let piece = this.#waiting[0]; piece; piece = this.#waiting[0]) {
      if (this.isRestarting || (piece.kind === "restart" && this.#parsing.length > 0)) return;
      this.#waiting.shift();
      this.#parsing.push(piece);
      if (piece.kind === "restart") this.#restart(piece);
      else this.#terminal.write(piece.bytes, () => this.#done());
    }
  }

  #restart(piece: Restart): void {
    const { baseY, viewportY } = this.#terminal.buffer.active;
    const above = Math.max(baseY - viewportY, this.#owed);
    // The terminal parses a write as a whole, and what is written in a callback at once after it: nothing is drawn
    // in between.
    this.#terminal.write(RESET, () => {
      if (piece.size) this.#terminal.resize(piece.size.cols, piece.size.rows);
      this.#terminal.write(concatenated(piece.parts), () => {
        this.#lookAgain(above, piece);
        this.#done();
      });
    });
  }

  /** Goes back to where the user was looking, as far as there is anything. */
  #lookAgain(above: number, { asked }: Restart): void {
    const { baseY } = this.#terminal.buffer.active;
    this.#owed = above > baseY && asked === 0 ? above : 0;
    const reachable = Math.min(above, baseY);
    if (reachable > 0) this.#terminal.scrollLines(-reachable);
  }

  #done(): void {
    const piece = this.#parsing.shift();
    if (!piece) return;
    if (piece.kind === "restart") this.#events.restarted(piece.asked, this.#terminal.buffer.normal.baseY);
    if (this.#owed > 0) this.#events.lookedUp(true);
    this.#events.parsed(piece, this.#parsing.length === 0 && this.#waiting.length === 0);
    this.#next();
  }
}

/** One array with the bytes of all. */
function concatenated(parts: Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
