// The conversation with the gateway: takes every message in and keeps the model. Knows no elements.

import { anyKeyReturns } from "./model/farewell.ts";
import { EMPTY, type Model, reduce } from "./model/model.ts";
import type { OutputPiece } from "./model/stream.ts";
import type { Loss } from "./model/text.ts";
import { clientName } from "./net/client.ts";
import { type Cells, decodeOutput, encodeConsumed } from "./net/frame.ts";
import { Gateway } from "./net/gateway.ts";
import { History } from "./net/history.ts";
import { Link, type LinkStatus } from "./net/link.ts";
import { Sender } from "./net/sender.ts";
import { Sizes } from "./net/sizes.ts";
import { Watches } from "./net/watches.ts";
import type { ErrorMessage, ServerMessage } from "./protocol.ts";

/** The name of a new gateway's first session. */
const FIRST_SESSION = "main";

/** What the conversation tells the page. */
export interface ConversationEvents {
  /** The layout changed; `before` is what it was. */
  layout(model: Model, before: Model): void;
  /** Something about panes changed, but nothing of the layout; `before` is what it was. */
  panes(model: Model, before: Model): void;
  /** Output for a pane's terminal. */
  output(paneId: string, piece: OutputPiece): void;
  status(status: LinkStatus): void;
  notice(code: string, message: string): void;
  /** A refusal that answers no request. */
  refusal(error: ErrorMessage): void;
  /** A request failed. */
  failed(error: Error): void;
  /** Input that was not taken, or may not have arrived. */
  lost(loss: Loss): void;
  held(bytes: number): void;
  /** A try to connect failed before the socket opened. */
  rejected(): void;
  /** The size of the viewport. */
  viewport(): Cells;
  /** Whether a snapshot may take the place of a pane's content now; `wanted`: somebody waits for it. */
  mayRestart(paneId: string, wanted: boolean): boolean;
}

/** The conversation of one page. */
export class Conversation {
  readonly gateway: Gateway;
  readonly sender: Sender;
  readonly watches: Watches;
  readonly history: History;
  readonly sizes: Sizes;
  #link: Link;
  #status: LinkStatus = { state: "connecting" };
  #client = clientName();
  #events: ConversationEvents;
  #model = EMPTY;
  /** Which pane has a channel. */
  #paneOf = new Map<number, string>();
  /** Whether this page has made its first session, or need not. */
  #begun = false;
  /** Whether the current connection has told its layout. Until then, channels may stand for other panes. */
  #current = false;

  constructor(url: string, events: ConversationEvents) {
    this.#events = events;
    this.#link = new Link(url, {
      message: (message) => this.#take(message),
      frame: (frame) => this.#takeFrame(frame),
      status: (status) => this.#takeStatus(status),
      refused: () => events.rejected(),
    });
    this.gateway = new Gateway(this.#link, (error) => events.failed(error));
    this.sender = new Sender(this.#link, () => (this.#current ? this.#model : undefined), {
      full: (paneId, bytes) => events.lost({ paneId, bytes, why: "full" }),
      uncertain: (bytes) => events.lost({ bytes, why: "cut" }),
      interrupted: (paneId, bytes) => events.lost({ paneId, bytes, why: "interrupted" }),
      closed: (bytes) => events.lost({ bytes, why: "closed" }),
      refused: (error) => events.refusal(error),
      held: (bytes) => events.held(bytes),
    });
    this.watches = new Watches(this.gateway, (paneId, offset) => this.#tellConsumed(paneId, offset));
    this.history = new History({
      mayRestart: (paneId, wanted) => {
        return this.#current && this.watches.isAnswered(paneId) && events.mayRestart(paneId, wanted);
      },
      fetch: (paneId, rows) => this.watches.fetch(paneId, rows),
    });
    this.sizes = new Sizes(this.gateway);
  }

  /** What the gateway told. */
  get model(): Model {
    return this.#model;
  }

  /** Starts to connect, and does so at once if a retry is waited for. */
  connect(): void {
    this.#link.connect();
  }

  /** Somebody typed or pasted into a pane: what brings back a page that stays away. */
  type(paneId: string, text: string): void {
    this.sender.input(paneId, text);
    if (this.#status.state === "closed" && anyKeyReturns(this.#status.farewell)) this.connect();
  }

  /** Tells the gateway how large the viewport is. */
  tellViewport(): void {
    const { cols, rows } = this.#events.viewport();
    this.gateway.tell({ type: "connect", width: cols, height: rows });
  }

  #takeStatus(status: LinkStatus): void {
    this.#status = status;
    if (status.state === "waiting" || status.state === "closed") {
      this.#current = false;
      this.gateway.requests.disconnect();
      this.sender.disconnected();
    }
    this.#events.status(status);
  }

  #take(message: ServerMessage): void {
    switch (message.type) {
      case "hello":
        this.gateway.tell({ type: "resume", client: this.#client });
        this.sizes.resume();
        return this.tellViewport();
      case "resumed":
        return this.sender.resumed(message.memory, message.applied);
      case "input_ack":
        return this.sender.acknowledged(message.applied);
      case "state":
      case "layout_update":
        return this.#takeLayout(message);
      case "pane_update":
        return this.#takePanes(message);
      case "watching":
        this.watches.watching(message.paneId, message.head);
        return this.history.shown([message.paneId]);
      case "ok":
        return this.gateway.requests.done(message);
      case "error":
        return this.#takeRefusal(message);
      case "notice":
        return this.#events.notice(message.code, message.message);
      case "pong":
        // That it came is all that matters, and the link knows.
        return;
      case "view":
        // Only viewers with a view of their own get one, and this page shares the common one.
        return;
    }
  }

  #takePanes(message: Extract<ServerMessage, { type: "pane_update" }>): void {
    const before = this.#model;
    this.#model = reduce(before, message);
    this.sender.pump();
    this.#events.panes(this.#model, before);
  }

  #takeRefusal(message: ErrorMessage): void {
    if (message.number !== undefined) return this.sender.refused(message, message.number);
    if (!this.gateway.requests.refused(message)) this.#events.refusal(message);
  }

  #takeLayout(message: Extract<ServerMessage, { type: "state" | "layout_update" }>): void {
    const before = this.#model;
    this.#model = reduce(before, message);
    if (this.#model === before) return;
    this.#paneOf = new Map(Object.entries(this.#model.channels).map(([paneId, channel]) => [channel, paneId]));
    this.gateway.tell({ type: "layout_seen", revision: this.#model.revision });
    this.watches.retain((paneId) => paneId in this.#model.channels);
    if (!this.#current) this.#resume();
    this.sender.pump();
    this.#begin();
    this.#events.layout(this.#model, before);
  }

  /** A new connection: what was watched goes on where it stopped. */
  #resume(): void {
    this.#current = true;
    this.history.resume();
    this.watches.resume();
  }

  /** A new gateway has no layout: this page makes the first session, but not again when somebody closes it. */
  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    if (this.#model.tabs.length === 0) this.gateway.act({ type: "session_create", name: FIRST_SESSION });
  }

  #takeFrame(bytes: ArrayBuffer): void {
    const frame = decodeOutput(bytes);
    const paneId = frame && this.#paneOf.get(frame.channel);
    if (!frame || paneId === undefined) return;
    for (const piece of this.watches.take(paneId, frame)) this.#events.output(paneId, piece);
  }

  #tellConsumed(paneId: string, offset: number): void {
    const channel = this.#current ? this.#model.channels[paneId] : undefined;
    if (channel !== undefined) this.#link.sendFrame(encodeConsumed(channel, offset));
  }
}
