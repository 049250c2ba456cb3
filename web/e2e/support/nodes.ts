// A gateway with nodes, as a page would see it: the real one, and between it and the page somebody who makes nodes up.

import type { Page, WebSocketRoute } from "playwright-core";
import { expect } from "vitest";
import type { Directories, LayoutUpdate, NodeEvent, NodeRecord, PaneInfo, PaneStatus, ServerMessage } from "../../src/protocol.ts";

/** What a page asks at `/ws`. */
interface Call {
  id: number;
  method: string;
  params: { node?: string; path?: string };
}

/** Made-up nodes for one page. */
export class Nodes {
  /** The nodes that there are. */
  list: NodeRecord[];
  #folders: (path: string | undefined) => Directories;
  /** The page's connections at `/ws`. */
  #watchers = new Set<WebSocketRoute>();
  #mux: WebSocketRoute | undefined;
  /** What the gateway said last. */
  #layout: LayoutUpdate | undefined;
  /** What the page is told of all panes instead. */
  #put: Pick<PaneInfo, "node" | "status"> | undefined;

  /** Nodes that all have the same folders. A folder that can't be listed throws. */
  constructor(list: NodeRecord[], folders: (path: string | undefined) => Directories) {
    this.list = list;
    this.#folders = folders;
  }

  /** To be called before the page is there. */
  async join(page: Page): Promise<void> {
    await page.routeWebSocket(/\/ws$/, (socket) => this.#watch(socket));
    await page.routeWebSocket(/\/mux$/, (socket) => this.#pass(socket));
  }

  /** How many connections at `/ws` the page has. */
  get watchers(): number {
    return this.#watchers.size;
  }

  /** Tells the page of a change; `list` is what it is afterwards. */
  tell(event: NodeEvent, list: NodeRecord[]): void {
    this.list = list;
    for (const socket of this.#watchers) socket.send(JSON.stringify(event));
  }

  /** Breaks the connections at `/ws`. */
  async cut(): Promise<void> {
    const sockets = [...this.#watchers];
    this.#watchers.clear();
    await Promise.all(sockets.map((socket) => socket.close({ code: 1001 })));
  }

  /** From now on, all panes are on a node and in a state, as far as the page is told. */
  async put(node: string, status: PaneStatus): Promise<void> {
    await expect.poll(() => this.#layout).toBeDefined();
    this.#put = { node, status };
    if (this.#layout) this.#send({ ...this.#layout, type: "layout_update" });
  }

  #watch(socket: WebSocketRoute): void {
    this.#watchers.add(socket);
    socket.onClose(() => this.#watchers.delete(socket));
    socket.onMessage((text) => socket.send(JSON.stringify(this.#answer(JSON.parse(String(text)) as Call))));
    socket.send(JSON.stringify({ event: "init", nodes: this.list, protocol_version: "1" } satisfies NodeEvent));
  }

  #answer({ id, method, params }: Call): object {
    if (method === "list_nodes") return { id, result: this.list };
    try {
      return { id, result: this.#folders(params.path) };
    } catch (error) {
      return { id, error: error instanceof Error ? error.message : String(error) };
    }
  }

  #pass(socket: WebSocketRoute): void {
    this.#mux = socket;
    const gateway = socket.connectToServer();
    socket.onMessage((message) => gateway.send(message));
    gateway.onMessage((message) => {
      if (typeof message === "string") this.#send(JSON.parse(message) as ServerMessage);
      else socket.send(message);
    });
  }

  /** Passes on what the gateway says, with what was made up of its panes. */
  #send(message: ServerMessage): void {
    this.#mux?.send(JSON.stringify(this.#bend(message)));
  }

  #bend(message: ServerMessage): ServerMessage {
    const bent = this.#put;
    const panes = (infos: Record<string, PaneInfo> = {}): Record<string, PaneInfo> => mapValues(infos, (info) => ({ ...info, ...bent }));
    switch (message.type) {
      case "pane_update":
        if (this.#layout) this.#layout.panes = { ...this.#layout.panes, ...message.panes };
        return { ...message, panes: panes(message.panes) };
      case "state":
      case "layout_update": {
        this.#layout = message;
        const connected = mapValues(message.connected, (is) => (bent ? bent.status.state === "live" : is));
        return { ...message, panes: panes(message.panes), connected };
      }
      default:
        return message;
    }
  }
}

function mapValues<T, U>(record: Record<string, T>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
