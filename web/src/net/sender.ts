// Moves input from the queue to the socket, and learns when it has arrived.

import { encodeInput } from "./frame.ts";
import { InputQueue, type Piece } from "./inputqueue.ts";
import type { Link } from "./link.ts";
import type { Model } from "../model/model.ts";

/** How long after the last input the gateway is asked whether it arrived, in milliseconds. */
const CONFIRM_MS = 150;

/** The number in the ping that asks; requests count from 1. */
export const CONFIRM_REQUEST = 0;

/** What a sender tells its owner. */
export interface SenderEvents {
  /** There is no room for `bytes` more bytes. */
  refused(paneId: string, bytes: number): void;
  /** The connection broke; `bytes` sent before may or may not have arrived. */
  uncertain(bytes: number): void;
  /** `bytes` waited for panes that are no more. */
  closed(bytes: number): void;
  /** The number of bytes that wait has changed. */
  held(bytes: number): void;
}

/** All input of this page. */
export class Sender {
  #link: Link;
  #model: () => Model | undefined;
  #events: SenderEvents;
  #queue = new InputQueue();
  #encoder = new TextEncoder();
  #confirm: ReturnType<typeof setTimeout> | undefined;
  #asked = false;

  /** `model` brings the layout as the current connection has told it; `undefined` while it has told none. */
  constructor(link: Link, model: () => Model | undefined, events: SenderEvents) {
    this.#link = link;
    this.#model = model;
    this.#events = events;
  }

  /** Something was typed or pasted into a pane. */
  input(paneId: string, text: string): void {
    const bytes = this.#encoder.encode(text);
    const online = this.#model() !== undefined;
    if (!this.#queue.push(paneId, bytes, online)) this.#events.refused(paneId, bytes.length);
    this.pump();
  }

  /** A pane's terminal answered. Such an answer makes no sense later, so it is never held. */
  report(paneId: string, bytes: Uint8Array): void {
    const channel = this.#model()?.channels[paneId];
    if (channel !== undefined) this.#link.sendFrame(encodeInput("report", channel, bytes));
  }

  /** Sends what may be sent; to be called when the connection, the layout or a pane's `pending` changed. */
  pump(): void {
    const model = this.#model();
    if (model) {
      const closed = this.#queue.retain((paneId) => paneId in model.channels);
      if (closed > 0) this.#events.closed(closed);
      this.#send(model, this.#queue.take((paneId) => model.panes[paneId]?.pending ?? 0));
    }
    this.#events.held(this.#queue.held);
  }

  /** What was sent before the ping has arrived. */
  confirmed(): void {
    this.#asked = false;
    this.#queue.confirm();
    this.pump();
    if (this.#queue.unconfirmed > 0) this.#confirmSoon();
  }

  /** The connection broke. */
  disconnected(): void {
    clearTimeout(this.#confirm);
    this.#asked = false;
    const uncertain = this.#queue.disconnect();
    if (uncertain > 0) this.#events.uncertain(uncertain);
  }

  /** Drops what waits for a pane. */
  discard(paneId: string): void {
    this.#queue.discard(paneId);
    this.#events.held(this.#queue.held);
  }

  #send(model: Model, pieces: Piece[]): void {
    for (const { paneId, bytes } of pieces) {
      const channel = model.channels[paneId];
      if (channel !== undefined) this.#link.sendFrame(encodeInput("input", channel, bytes));
    }
    if (this.#queue.held > 0) this.#askNow();
    else if (pieces.length > 0) this.#confirmSoon();
  }

  #confirmSoon(): void {
    clearTimeout(this.#confirm);
    this.#confirm = setTimeout(() => this.#askNow(), CONFIRM_MS);
  }

  #askNow(): void {
    if (this.#asked || this.#queue.unconfirmed === 0) return;
    this.#asked = this.#link.send({ type: "ping", requestId: CONFIRM_REQUEST });
    if (this.#asked) this.#queue.fence();
  }
}
