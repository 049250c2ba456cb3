// Which panes' output this page gets, and where in it each of them is.

import { type OutputPiece, OutputStream } from "../model/stream.ts";
import type { WatchPane } from "../protocol.ts";
import type { OutputFrame } from "./frame.ts";
import type { Gateway } from "./gateway.ts";

/**
 * With more unparsed output than this, in bytes, the gateway is told to stop sending; it keeps the newest output.
 * A browser parses a few MiB per second, so this much delays the echo of a key by a fraction of a second.
 */
const HIGH_BYTES = 1 << 20;

/** With less than this it goes on. */
const LOW_BYTES = 128 << 10;

/** One pane's watch. */
interface Watch {
  stream: OutputStream;
  /** Output that was handed to the terminal and is not parsed yet, in bytes. */
  unparsed: number;
  /** Whether the gateway has been told to stop for the moment. */
  paused: boolean;
}

/** All watches. */
export class Watches {
  #gateway: Pick<Gateway, "mention">;
  #watches = new Map<string, Watch>();

  constructor(gateway: Pick<Gateway, "mention">) {
    this.#gateway = gateway;
  }

  /** Begins to watch panes that are not watched yet. */
  add(paneIds: Iterable<string>): void {
    const fresh = [...paneIds].filter((paneId) => !this.#watches.has(paneId));
    for (const paneId of fresh) this.#watches.set(paneId, { stream: new OutputStream(), unparsed: 0, paused: false });
    this.#ask(fresh);
  }

  /** Ends a watch; what had arrived is forgotten. */
  remove(paneId: string): void {
    if (this.#watches.delete(paneId)) this.#gateway.mention({ type: "pane_unwatch", paneIds: [paneId] });
  }

  /** Forgets panes that were closed; the gateway has forgotten them, too. */
  retain(isOpen: (paneId: string) => boolean): void {
    for (const paneId of this.#watches.keys()) {
      if (!isOpen(paneId)) this.#watches.delete(paneId);
    }
  }

  /** A new connection: asks for the rest of everything. */
  resume(): void {
    for (const watch of this.#watches.values()) watch.paused = false;
    this.#ask([...this.#watches.keys()]);
  }

  /** The gateway answered a watch. */
  watching(paneId: string, head: number): void {
    this.#watches.get(paneId)?.stream.watching(head);
  }

  /** What the pane's terminal is to be given of a frame. */
  take(paneId: string, frame: OutputFrame): OutputPiece[] {
    const watch = this.#watches.get(paneId);
    if (!watch) return [];
    const pieces = watch.stream.take(frame);
    for (const piece of pieces) watch.unparsed += piece.bytes.length;
    if (watch.unparsed > HIGH_BYTES && !watch.paused) {
      watch.paused = true;
      this.#gateway.mention({ type: "pane_unwatch", paneIds: [paneId] });
    }
    return pieces;
  }

  /** The terminal has parsed so many more bytes. */
  parsed(paneId: string, bytes: number): void {
    const watch = this.#watches.get(paneId);
    if (!watch) return;
    watch.unparsed -= bytes;
    if (watch.paused && watch.unparsed < LOW_BYTES) {
      watch.paused = false;
      this.#ask([paneId]);
    }
  }

  #ask(paneIds: string[]): void {
    if (paneIds.length === 0) return;
    this.#gateway.mention({ type: "pane_watch", panes: paneIds.map((paneId) => this.#request(paneId)) });
  }

  #request(paneId: string): WatchPane {
    const offset = this.#watches.get(paneId)?.stream.next;
    return offset === undefined ? { paneId } : { paneId, offset };
  }
}
