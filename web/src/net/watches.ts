// Which panes' output this page gets, and where in it each of them is.

import { Consumption } from "../model/consumption.ts";
import { type OutputPiece, OutputStream } from "../model/stream.ts";
import type { WatchPane } from "../protocol.ts";
import type { OutputFrame } from "./frame.ts";
import type { Gateway } from "./gateway.ts";

/** A question for a pane's output, until the gateway answers that it is watched. */
interface Question {
  /** How many rows of scrollback are to come along. */
  history: number;
}

/** One pane's watch. */
interface Watch {
  stream: OutputStream;
  consumption: Consumption;
  /** What was asked on this connection and is not answered, oldest first. */
  questions: Question[];
}

/** All watches. */
export class Watches {
  #gateway: Pick<Gateway, "ask">;
  #consumed: (paneId: string, offset: number) => void;
  #watches = new Map<string, Watch>();

  /** `consumed` tells the gateway how far a pane's terminal has got. */
  constructor(gateway: Pick<Gateway, "ask">, consumed: (paneId: string, offset: number) => void) {
    this.#gateway = gateway;
    this.#consumed = consumed;
  }

  /** Begins to watch panes that are not watched yet. */
  add(paneIds: Iterable<string>): void {
    const fresh = [...paneIds].filter((paneId) => !this.#watches.has(paneId));
    for (const paneId of fresh) {
      this.#watches.set(paneId, { stream: new OutputStream(), consumption: new Consumption(), questions: [] });
    }
    this.#askFor(fresh);
  }

  /** Ends a watch; what had arrived is forgotten. */
  remove(paneId: string): void {
    // That the pane was closed in the meantime is nobody's concern.
    if (this.#watches.delete(paneId)) this.#gateway.ask({ type: "pane_unwatch", paneIds: [paneId] }).catch(() => undefined);
  }

  /** Forgets panes that were closed; the gateway has forgotten them, too. */
  retain(isOpen: (paneId: string) => boolean): void {
    for (const paneId of this.#watches.keys()) {
      if (!isOpen(paneId)) this.#watches.delete(paneId);
    }
  }

  /** A new connection: asks for the rest of everything. */
  resume(): void {
    for (const watch of this.#watches.values()) watch.questions = [];
    this.#askFor([...this.#watches.keys()]);
  }

  /** Whether a pane can be asked for again: a watch that was not answered yet would be taken for the next one's. */
  isAnswered(paneId: string): boolean {
    return this.#watches.get(paneId)?.questions.length === 0;
  }

  /** Asks for a snapshot with `rows` rows of scrollback; fails if none will come. */
  fetch(paneId: string, rows: number): Promise<void> {
    return this.#ask([{ paneId, history: rows }]);
  }

  /** The gateway answered a watch. */
  watching(paneId: string, head: number): void {
    const watch = this.#watches.get(paneId);
    watch?.stream.watching(head, watch.questions.shift()?.history ?? 0);
  }

  /** What the pane's terminal is to be given of a frame. */
  take(paneId: string, frame: OutputFrame): OutputPiece[] {
    return this.#watches.get(paneId)?.stream.take(frame) ?? [];
  }

  /** The terminal has taken a piece in; `idle`: all that it was given. */
  parsed(paneId: string, piece: OutputPiece, idle: boolean): void {
    const watch = this.#watches.get(paneId);
    // A piece from before the output was cut back says nothing about what came since.
    if (!watch || piece.end > (watch.stream.next ?? 0)) return;
    const restarted = piece.kind === "restart";
    const bytes = restarted ? 0 : piece.bytes.length;
    if (watch.consumption.parsed(bytes, idle || restarted, performance.now())) this.#consumed(paneId, piece.end);
  }

  #askFor(paneIds: string[]): void {
    // The gateway says by itself which panes are no more.
    this.#ask(paneIds.map((paneId) => this.#request(paneId))).catch(() => undefined);
  }

  async #ask(panes: WatchPane[]): Promise<void> {
    if (panes.length === 0) return;
    const asked = panes.map(({ paneId, history = 0 }) => {
      const question = { history };
      this.#watches.get(paneId)?.questions.push(question);
      return { paneId, question };
    });
    try {
      await this.#gateway.ask({ type: "pane_watch", panes });
    } catch (error) {
      for (const { paneId, question } of asked) this.#forget(paneId, question);
      throw error;
    }
  }

  #forget(paneId: string, question: Question): void {
    const watch = this.#watches.get(paneId);
    if (watch) watch.questions = watch.questions.filter((other) => other !== question);
  }

  #request(paneId: string): WatchPane {
    const offset = this.#watches.get(paneId)?.stream.next;
    return offset === undefined ? { paneId } : { paneId, offset };
  }
}
