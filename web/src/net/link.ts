// A WebSocket that comes back by itself, unless it was told to stay away. Knows messages and bytes, but no terminal and no layout.

import type { Farewell } from "../model/farewell.ts";
import type { ClientMessage, ServerMessage } from "../protocol.ts";
import { Backoff } from "./backoff.ts";
import { closeReason, farewell } from "./closecode.ts";
import { Liveness } from "./liveness.ts";

/** The WebSocket subprotocol that selects the native framing. */
const SUBPROTOCOL = "everpane.v1";

/** How often a connection's liveness is looked at, in milliseconds. */
const CHECK_MS = 5_000;

/** How the connection is. */
export type LinkStatus =
  | { state: "connecting" }
  | { state: "open" }
  /** Down; the next try is `retryAt`, in milliseconds since the Unix epoch. */
  | { state: "waiting"; reason: string; retryAt: number }
  /** Down, until somebody wants it back. */
  | { state: "closed"; farewell: Farewell };

/** What a link tells its owner. */
export interface LinkEvents {
  /** A control message. */
  message(message: ServerMessage): void;
  /** A binary frame. */
  frame(frame: ArrayBuffer): void;
  /** The connection changed. */
  status(status: LinkStatus): void;
  /** A try failed before the socket opened: perhaps the login has run out. */
  refused(): void;
}

/** A message, with the number its answer will carry. */
export type Outgoing = ClientMessage & { requestId?: number };

/** One lasting connection to the gateway through any number of sockets. */
export class Link {
  #url: string;
  #events: LinkEvents;
  #socket: WebSocket | undefined;
  /** When it opened, by `performance.now()`; `undefined`: not yet. */
  #openedAt: number | undefined;
  #liveness = new Liveness(0);
  #backoff = new Backoff();
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, events: LinkEvents) {
    this.#url = url;
    this.#events = events;
    setInterval(() => this.#checkLiveness(), CHECK_MS);
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => this.#hurry());
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Connects now, unless that is already under way. */
  connect(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#socket) return;
    this.#events.status({ state: "connecting" });
    const socket = new WebSocket(this.#url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    this.#openedAt = undefined;
    socket.onopen = () => {
      this.#openedAt = performance.now();
      this.#liveness = new Liveness(this.#openedAt);
      this.#events.status({ state: "open" });
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => this.#take(event.data);
    socket.onclose = (event) => {
      if (this.#socket === socket) this.#lost(event.code);
    };
    this.#socket = socket;
  }

  /** Sends a control message; `false` if there is no connection. */
  send(message: Outgoing): boolean {
    if (!this.isOpen) return false;
    this.#socket?.send(JSON.stringify(message));
    return true;
  }

  /** Sends a binary frame; to be called only while open. */
  sendFrame(frame: Uint8Array<ArrayBuffer>): void {
    this.#socket?.send(frame);
  }

  #take(data: string | ArrayBuffer): void {
    this.#liveness.heard(performance.now());
    if (data instanceof ArrayBuffer) return this.#events.frame(data);
    this.#events.message(JSON.parse(data) as ServerMessage);
  }

  #lost(code: number): void {
    this.#socket = undefined;
    const openedAt = this.#openedAt;
    if (openedAt !== undefined) this.#backoff.ended(performance.now() - openedAt);
    const closed = farewell(code);
    if (closed) return this.#events.status({ state: "closed", farewell: closed });
    const wait = this.#backoff.next(Math.random());
    this.#retry = setTimeout(() => this.connect(), wait);
    this.#events.status({ state: "waiting", reason: closeReason(code), retryAt: Date.now() + wait });
    if (openedAt === undefined) this.#events.refused();
  }

  /** The network is back, or somebody looks at the page again: no reason to wait. */
  #hurry(): void {
    if (this.#retry !== undefined && document.visibilityState === "visible") this.connect();
    this.#checkLiveness();
  }

  #checkLiveness(): void {
    if (!this.isOpen) return;
    const verdict = this.#liveness.check(performance.now());
    if (verdict === "ask") this.send({ type: "ping" });
    if (verdict === "dead") this.#abandon();
  }

  /** A dead socket may take minutes to close; its close event is not waited for. */
  #abandon(): void {
    const socket = this.#socket;
    this.#lost(1006);
    socket?.close();
  }
}
