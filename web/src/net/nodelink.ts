// The connection that tells of nodes: a WebSocket at `/ws` that comes back by itself for as long as it is wanted.

import type { NodesStatus } from "../model/nodes.ts";
import type { Directories, NodeEvent, NodeRecord } from "../protocol.ts";
import { Backoff } from "./backoff.ts";
import { type Answer, Calls } from "./calls.ts";
import { closeReason } from "./closecode.ts";

/** How often all nodes are asked for, in milliseconds: signs of life are no events. */
const REFRESH_MS = 5_000;

/** What the link tells its owner. */
export interface NodeLinkEvents {
  event(event: NodeEvent): void;
  /** All nodes, as they are now. */
  nodes(nodes: NodeRecord[]): void;
  status(status: NodesStatus): void;
}

/** One connection through any number of sockets. */
export class NodeLink {
  #url: string;
  #events: NodeLinkEvents;
  #calls = new Calls();
  #backoff = new Backoff();
  #socket: WebSocket | undefined;
  /** When it opened, by `performance.now()`; `undefined`: not yet. */
  #openedAt: number | undefined;
  /** The one timer: the next refresh while open, the next try to connect while not. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, events: NodeLinkEvents) {
    this.#url = url;
    this.#events = events;
  }

  /** Connects, unless that is done or under way. */
  open(): void {
    if (this.#socket) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#events.status({ state: "connecting", since: Date.now() });
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#openedAt = undefined;
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#openedAt = performance.now();
      this.#events.status({ state: "open" });
      this.#timer = setTimeout(() => void this.#refresh(socket), REFRESH_MS);
    };
    socket.onmessage = (event: MessageEvent<string>) => {
      if (this.#socket === socket) this.#take(event.data);
    };
    socket.onclose = (event) => {
      if (this.#socket === socket) void this.#lost(event.code);
    };
  }

  /** Ends the connection, and does not come back until `open`. */
  close(): void {
    const socket = this.#socket;
    this.#drop();
    this.#backoff.reset();
    socket?.close();
  }

  /** The folders in a folder of a node; without a path, in the first that may be shown. */
  async folders(node: string, path?: string): Promise<Directories> {
    return (await this.#call("list_directories", { node, path })) as Directories;
  }

  #call(method: string, params: object): Promise<unknown> {
    return this.#calls.start((id) => {
      if (this.#socket?.readyState !== WebSocket.OPEN) return false;
      this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
      return true;
    });
  }

  #take(data: string): void {
    const message = JSON.parse(data) as NodeEvent | Answer;
    if ("event" in message) this.#events.event(message);
    else this.#calls.answered(message);
  }

  /** Asks for all nodes. A connection that does not answer before the next time is dead. */
  async #refresh(socket: WebSocket): Promise<void> {
    this.#timer = setTimeout(() => this.#abandon(socket), REFRESH_MS);
    try {
      const nodes = (await this.#call("list_nodes", {})) as NodeRecord[];
      if (this.#socket !== socket) return;
      this.#events.nodes(nodes);
    } catch {
      // Refused, or the connection is gone, which is told elsewhere.
    }
    if (this.#socket !== socket) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#refresh(socket), REFRESH_MS);
  }

  /** A dead socket may take minutes to close; its close event is not waited for. */
  #abandon(socket: WebSocket): void {
    void this.#lost(1006);
    socket.close();
  }

  async #lost(code: number): Promise<void> {
    this.#drop();
    const openedAt = this.#openedAt;
    if (openedAt !== undefined) this.#backoff.ended(performance.now() - openedAt);
    const wait = this.#backoff.next(Math.random());
    const timer = setTimeout(() => this.open(), wait);
    this.#timer = timer;
    this.#events.status({ state: "waiting", reason: closeReason(code), retryAt: Date.now() + wait });
    if (openedAt !== undefined || !(await isAbsent()) || this.#timer !== timer) return;
    this.#drop();
    this.#events.status({ state: "absent" });
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#socket = undefined;
    this.#calls.disconnect();
  }
}

/** Whether the gateway has no such socket. A socket's failure does not say why; a request's does. */
async function isAbsent(): Promise<boolean> {
  try {
    return (await fetch("ws", { redirect: "manual", cache: "no-store" })).status === 404;
  } catch {
    // No gateway there at all: it may come back, and with the socket.
    return false;
  }
}
