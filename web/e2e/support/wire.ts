// What goes over a page's connections for panes.

import type { Page, WebSocket } from "playwright-core";

/** The kind bytes of the frames that bring a snapshot; see docs/protocol.md. */
const SNAPSHOT_KINDS = [2, 3];

/** One connection of a page, as it was overheard. */
export interface Overheard {
  /** The control messages that the page sent. */
  sent: Record<string, unknown>[];
  /** The control messages that came. */
  received: Record<string, unknown>[];
  /** How many frames of snapshots came. */
  snapshots: number;
}

/** Listens to all connections of a page. */
export class Wire {
  /** Oldest first. */
  readonly connections: Overheard[] = [];

  /** To be made before the page goes anywhere. */
  constructor(page: Page) {
    page.on("websocket", (socket) => this.#listen(socket));
  }

  /** The newest connection. */
  get newest(): Overheard | undefined {
    return this.connections.at(-1);
  }

  #listen(socket: WebSocket): void {
    if (!socket.url().endsWith("/mux")) return;
    const heard: Overheard = { sent: [], received: [], snapshots: 0 };
    this.connections.push(heard);
    socket.on("framesent", ({ payload }) => {
      if (typeof payload === "string") heard.sent.push(JSON.parse(payload));
    });
    socket.on("framereceived", ({ payload }) => {
      if (typeof payload === "string") heard.received.push(JSON.parse(payload));
      else if (SNAPSHOT_KINDS.includes(payload[0] ?? 0)) heard.snapshots += 1;
    });
  }
}
