// Moves input from the queue to the socket, and learns what became of it.

import type { Model } from "../model/model.ts";
import type { ErrorMessage } from "../protocol.ts";
import { encodeInput, encodeReport } from "./frame.ts";
import { InputQueue, isInterrupt } from "./inputqueue.ts";
import type { Link } from "./link.ts";

/** The channel of no pane. */
const NO_CHANNEL = 0xffffffff;

/** What a sender tells its owner. */
export interface SenderEvents {
  /** There is no room for `bytes` more bytes. */
  full(paneId: string, bytes: number): void;
  /** The gateway has forgotten this page since; `bytes` sent before may or may not have arrived. */
  uncertain(bytes: number): void;
  /** `bytes` waited, and an interrupt key went past them. */
  interrupted(paneId: string, bytes: number): void;
  /** `bytes` waited for panes that are no more. */
  closed(bytes: number): void;
  /** The gateway refused input. */
  refused(error: ErrorMessage): void;
  /** The number of bytes that wait has changed. */
  held(bytes: number): void;
}

/** All input of this page. */
export class Sender {
  #link: Pick<Link, "sendFrame">;
  #model: () => Model | undefined;
  #events: SenderEvents;
  #queue = new InputQueue();
  #encoder = new TextEncoder();
  /** Whether the gateway has said on this connection what it has. */
  #resumed = false;
  #rest: ReturnType<typeof setTimeout> | undefined;

  /** `model` brings the layout as the current connection has told it; `undefined` while it has told none. */
  constructor(link: Pick<Link, "sendFrame">, model: () => Model | undefined, events: SenderEvents) {
    this.#link = link;
    this.#model = model;
    this.#events = events;
  }

  /** Something was typed or pasted into a pane. */
  input(paneId: string, text: string): void {
    const bytes = this.#encoder.encode(text);
    // What was typed without a connection is not in anybody's way.
    const dropped = this.#resumed && isInterrupt(bytes) ? this.#queue.interrupt(paneId) : 0;
    if (dropped > 0) this.#events.interrupted(paneId, dropped);
    if (!this.#queue.push(paneId, bytes, this.#resumed)) this.#events.full(paneId, bytes.length);
    this.pump();
  }

  /** A pane's terminal answered. Such an answer makes no sense later, so it is never held. */
  report(paneId: string, bytes: Uint8Array): void {
    const channel = this.#model()?.channels[paneId];
    if (channel !== undefined) this.#link.sendFrame(encodeReport(channel, bytes));
  }

  /** Sends what may be sent; to be called when the connection, the layout or a pane's `pending` changed. */
  pump(): void {
    const model = this.#resumed ? this.#model() : undefined;
    if (model) {
      const closed = this.#queue.retain((paneId) => paneId in model.channels);
      if (closed > 0) this.#events.closed(closed);
      this.#send(model);
    }
    this.#tellHeld();
  }

  /** The gateway has told what it has of this page's input; see `InputQueue.resumed`. */
  resumed(memory: number, applied: number): void {
    this.#resumed = true;
    const uncertain = this.#queue.resumed(memory, applied);
    if (uncertain > 0) this.#events.uncertain(uncertain);
    this.pump();
  }

  /** The gateway has all input up to a number. */
  acknowledged(applied: number): void {
    this.#queue.acknowledged(applied);
    this.pump();
  }

  /** The gateway did not take the input with the number `number`. */
  refused(error: ErrorMessage, number: number): void {
    if (error.code === "input_full") this.#queue.sendAgain(number, performance.now());
    else this.#tellLost(error, this.#queue.refused(number) ?? 0);
    this.pump();
  }

  /** The connection broke. */
  disconnected(): void {
    if (this.#resumed) this.#queue.disconnected();
    this.#resumed = false;
    this.#tellHeld();
  }

  /** Drops what waits for a pane. */
  discard(paneId: string): void {
    this.#queue.discard(paneId);
    this.pump();
  }

  #send(model: Model): void {
    const now = performance.now();
    for (const frame of this.#queue.take((paneId) => model.panes[paneId]?.pending ?? 0, now)) {
      // What has a number is sent: the gateway takes them one after the other.
      this.#link.sendFrame(encodeInput(model.channels[frame.paneId] ?? NO_CHANNEL, frame));
    }
    clearTimeout(this.#rest);
    const until = this.#queue.restUntil(now);
    if (until !== undefined) this.#rest = setTimeout(() => this.pump(), until - now);
  }

  /** A gateway tells a refusal again if it can't know whether it was heard; nothing is lost by that. */
  #tellLost(error: ErrorMessage, bytes: number): void {
    if (bytes > 0) this.#events.refused({ ...error, bytes });
  }

  /** Without a connection, what it carried waits, too: it may have to be sent again. */
  #tellHeld(): void {
    this.#events.held(this.#queue.waiting + (this.#resumed ? 0 : this.#queue.unconfirmed));
  }
}
