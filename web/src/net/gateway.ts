// The gateway, as the rest of the page speaks to it.

import type { ClientMessage } from "../protocol.ts";
import type { Link } from "./link.ts";
import { type Done, Requests } from "./requests.ts";

/** Sends control messages and brings back their answers. */
export class Gateway {
  readonly requests = new Requests();
  #link: Link;
  #refused: (error: Error) => void;

  /** `refused` is told of every `act` that failed. */
  constructor(link: Link, refused: (error: Error) => void) {
    this.#link = link;
    this.#refused = refused;
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#link.isOpen;
  }

  /** Sends what needs no answer; without a connection it is dropped. */
  tell(message: ClientMessage): void {
    this.#link.send(message);
  }

  /** Sends a request and brings back its answer. */
  ask(message: ClientMessage): Promise<Done> {
    return this.requests.start((requestId) => this.#link.send({ ...message, requestId }));
  }

  /** Sends what the page says by itself; that a pane was closed in the meantime is nobody's concern. */
  mention(message: ClientMessage): void {
    this.ask(message).catch(() => undefined);
  }

  /** Sends what somebody asked for; they are told if it fails. */
  act(message: ClientMessage): void {
    this.ask(message).catch(this.#refused);
  }
}
