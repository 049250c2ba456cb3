// Just enough of a gateway to look at the page: one shared layout, and shells that echo.

import type { WebSocket } from "ws";
import { chunks } from "../src/net/frame.ts";
import { panesOf, withRatios } from "../src/model/tree.ts";
import type { ClientMessage, LayoutTree, LayoutUpdate, PaneInfo, ServerMessage, Session, Tab } from "../src/protocol.ts";

interface Pane {
  channel: number;
  info: PaneInfo;
  /** The newest output. */
  output: Buffer;
  /** The offset of its first byte. */
  base: number;
}

const GREETING =
  "\x1b[2mLast login: today on pts/3\x1b[0m\r\n" +
  "\x1b[1;34msrc\x1b[0m  \x1b[1;34mtests\x1b[0m  \x1b[1;32mrun.sh\x1b[0m  Cargo.toml  README.md\r\n" +
  "\x1b[31mred\x1b[0m \x1b[32mgreen\x1b[0m \x1b[33myellow\x1b[0m \x1b[34mblue\x1b[0m \x1b[35mmagenta\x1b[0m \x1b[36mcyan\x1b[0m " +
  "\x1b[1mbold\x1b[0m \x1b[3mitalic\x1b[0m \x1b[4munderlined\x1b[0m \x1b[7minverse\x1b[0m 日本語 ✓ https://example.org/docs\r\n";

const PROMPT = "\x1b[1;36m~/code/everpane\x1b[0m \x1b[35mmain\x1b[0m \x1b[32m❯\x1b[0m ";

/** How much output is kept, in bytes. */
const RING_BYTES = 1 << 20;

/** The stand-in. */
export class MockGateway {
  #sockets = new Set<WebSocket>();
  #watched = new Map<WebSocket, Set<string>>();
  #sessions: Session[] = [];
  #tabs: Tab[] = [];
  #activeTab: string | null = null;
  #panes = new Map<string, Pane>();
  #lines = new Map<string, string>();
  #revision = 0;
  #next = 1;
  #away = false;

  /** Takes a viewer. */
  attach(socket: WebSocket): void {
    if (this.#away) return socket.close(1013);
    this.#sockets.add(socket);
    this.#watched.set(socket, new Set());
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("message", (data: Buffer, binary: boolean) => {
      if (binary) this.#input(data);
      else this.#take(socket, JSON.parse(data.toString()) as ClientMessage & { requestId?: number });
    });
    this.#tell(socket, { type: "hello", version: "mock", viewerId: "v1", maxMessageBytes: 1 << 20 });
  }

  #take(socket: WebSocket, message: ClientMessage & { requestId?: number }): void {
    const { requestId } = message;
    const refusal = this.#apply(socket, message);
    if (requestId === undefined || message.type === "ping") return;
    this.#tell(socket, refusal ? { type: "error", ...refusal, requestId } : { type: "ok", requestId });
  }

  #apply(socket: WebSocket, message: ClientMessage & { requestId?: number }): { code: string; message: string } | undefined {
    switch (message.type) {
      case "connect":
        this.#tell(socket, { type: "state", sessions: this.#sessions, ...this.#layout() });
        return undefined;
      case "ping":
        this.#tell(socket, message.requestId === undefined ? { type: "pong" } : { type: "pong", requestId: message.requestId });
        return undefined;
      case "pane_watch":
        for (const { paneId, offset } of message.panes) this.#watch(socket, paneId, offset ?? 0);
        return undefined;
      case "pane_unwatch":
        for (const paneId of message.paneIds) this.#watched.get(socket)?.delete(paneId);
        return undefined;
      case "pane_resize":
        return this.#inform(message.paneId, { cols: message.cols, rows: message.rows });
      case "pane_discard":
        return this.#inform(message.paneId, { pending: 0 });
      case "pane_respawn":
        this.#inform(message.paneId, { status: { state: "live" } });
        this.#write(message.paneId, PROMPT);
        break;
      case "session_create":
        this.#createSession(message.name ?? `work ${this.#next}`);
        break;
      case "session_rename":
        this.#sessions = this.#sessions.map((session) => (session.id === message.sessionId ? { ...session, name: message.name } : session));
        break;
      case "session_destroy":
        this.#sessions = this.#sessions.filter(({ id }) => id !== message.sessionId);
        this.#setTabs(this.#tabs.filter((tab) => tab.sessionId !== message.sessionId));
        break;
      case "tab_create":
        this.#createTab(message.sessionId);
        break;
      case "tab_switch":
        this.#activeTab = message.tabId;
        break;
      case "tab_rename":
        this.#changeTab(message.tabId, (tab) => ({ ...tab, name: message.name }));
        break;
      case "tab_close":
        this.#setTabs(this.#tabs.filter(({ id }) => id !== message.tabId));
        break;
      case "tab_move": {
        const moved = this.#tabs.filter(({ id }) => id === message.tabId);
        const others = this.#tabs.filter(({ id }) => id !== message.tabId);
        this.#tabs = [...others.slice(0, message.index), ...moved, ...others.slice(message.index)];
        break;
      }
      case "pane_split":
        this.#split(message.paneId, message.orientation === "horizontal" ? "vertical" : "horizontal");
        break;
      case "pane_close":
        if (message.ifIdle && this.#lines.get(message.paneId) === "busy") return { code: "pane_busy", message: "`sleep 1000` is running in it." };
        this.#closePane(message.paneId);
        break;
      case "pane_focus":
        if (message.paneId !== undefined) this.#focus(message.paneId);
        break;
      case "pane_zoom":
        this.#changeTab(this.#activeTab, (tab) => ({ ...tab, zoomed: tab.zoomed === null ? message.paneId : null }));
        break;
      case "pane_rename":
        this.#inform(message.paneId, { name: message.name ?? null });
        break;
      case "split_resize":
        this.#changeTab(message.tabId, (tab) => ({ ...tab, layout: { root: withRatios(tab.layout.root, message.path, message.ratios) } }));
        break;
      default:
        return undefined;
    }
    this.#publish(message.type.startsWith("session_"));
    return undefined;
  }

  /** `exit` ends a shell, `fail` makes it unable to start, `busy` makes it ask before it closes, `bell` rings. */
  #input(frame: Buffer): void {
    const found = [...this.#panes].find(([, pane]) => pane.channel === frame.readUInt32BE(1));
    if (frame[0] === 2) console.log("report", JSON.stringify(frame.subarray(5).toString()));
    if (!found || frame[0] !== 1) return;
    const [paneId, { info }] = found;
    const text = frame.subarray(5).toString();
    if (info.status.state !== "live") {
      if (info.wake === "manual" || info.status.state === "failed") {
        this.#inform(paneId, { pending: info.pending + text.length });
        return;
      }
      this.#inform(paneId, { status: { state: "live" }, pending: 0 });
      this.#write(paneId, `\r\n\x1b[2m── shell ended (exit 0), new shell ──\x1b[0m\r\n${PROMPT}`);
      this.#publish(false);
    }
    for (const character of text) this.#type(paneId, character);
  }

  #type(paneId: string, character: string): void {
    const line = this.#lines.get(paneId) ?? "";
    if (character !== "\r") {
      this.#lines.set(paneId, line === "busy" ? character : line + character);
      this.#write(paneId, character === "\x7f" ? "\b \b" : character);
      return;
    }
    this.#lines.set(paneId, line === "busy" ? line : "");
    this.#write(paneId, "\r\n");
    if (line === "exit") this.#end(paneId, { state: "exited", code: 0, at: Date.now() });
    else if (line === "kill") this.#end(paneId, { state: "exited", signal: "SIGKILL", at: Date.now() - 200_000 });
    else if (line === "fail") this.#end(paneId, { state: "failed", reason: "/bin/zsh: no such file or directory" });
    else if (line === "slow") this.#end(paneId, { state: "starting" });
    else if (line === "manual") this.#inform(paneId, { wake: "manual" });
    else if (line === "bell") setTimeout(() => this.#write(paneId, "\x07"), 1500);
    else if (line === "small") this.#inform(paneId, { cols: 60, rows: 12 });
    else if (line === "notice") this.#broadcast({ type: "notice", code: "disk", message: "The disk is full: layout changes are not saved." });
    else if (line === "drop") for (const socket of this.#sockets) socket.close(1001);
    else if (line === "away") this.#goAway();
    else if (line === "mouse") this.#write(paneId, "\x1b[?1000h\x1b[?1004h\x1b[?1006h\x1b[c\x1b[6n");
    else if (line === "flood") this.#write(paneId, "0123456789 flood of text\r\n".repeat(400_000));
    if (this.#panes.get(paneId)?.info.status.state === "live") this.#write(paneId, PROMPT);
  }

  /** Takes nobody for a few seconds. */
  #goAway(): void {
    this.#away = true;
    setTimeout(() => (this.#away = false), 4000);
    for (const socket of this.#sockets) socket.close(1001);
  }

  #end(paneId: string, status: PaneInfo["status"]): void {
    this.#inform(paneId, { status });
    this.#publish(false);
  }

  #inform(paneId: string, change: Partial<PaneInfo>): undefined {
    const pane = this.#panes.get(paneId);
    if (!pane) return undefined;
    pane.info = { ...pane.info, ...change };
    this.#broadcast({ type: "pane_update", panes: { [paneId]: pane.info } });
    return undefined;
  }

  #write(paneId: string, text: string): void {
    const pane = this.#panes.get(paneId);
    if (!pane) return;
    const offset = pane.base + pane.output.length;
    const output = Buffer.concat([pane.output, Buffer.from(text)]);
    pane.output = output.subarray(Math.max(0, output.length - RING_BYTES));
    pane.base += output.length - pane.output.length;
    for (const socket of this.#sockets) {
      if (this.#watched.get(socket)?.has(paneId)) this.#send(socket, pane, offset);
    }
  }

  #watch(socket: WebSocket, paneId: string, from: number): void {
    const pane = this.#panes.get(paneId);
    if (!pane) return;
    this.#watched.get(socket)?.add(paneId);
    this.#tell(socket, { type: "watching", paneId, from: Math.max(from, pane.base), head: pane.base + pane.output.length });
    this.#send(socket, pane, from);
  }

  #send(socket: WebSocket, pane: Pane, from: number): void {
    let offset = Math.max(from, pane.base);
    for (const piece of chunks(pane.output.subarray(offset - pane.base), 64 << 10)) {
      const header = Buffer.alloc(13);
      header.writeUInt8(from < pane.base && offset === pane.base ? 2 : 1);
      header.writeBigUInt64BE(BigInt(offset), 1);
      header.writeUInt32BE(pane.channel, 9);
      socket.send(Buffer.concat([header, piece]));
      offset += piece.length;
    }
  }

  #createSession(name: string): void {
    const id = `s${this.#next++}`;
    this.#sessions = [...this.#sessions, { id, sandboxId: "local", name, createdAt: Date.now() }];
    this.#createTab(id);
  }

  #createTab(sessionId: string): void {
    const id = `t${this.#next++}`;
    const layout = { root: this.#createPane() };
    this.#tabs = [...this.#tabs, { id, sessionId, name: `tab ${this.#tabs.length + 1}`, layout, focus: [], zoomed: null }];
    this.#activeTab = id;
  }

  #createPane(): LayoutTree {
    const key = `p${this.#next++}`;
    const info: PaneInfo = {
      name: null, title: "zsh", cwd: "/home/ada/code/everpane", status: { state: "live" }, pending: 0,
      cols: 80, rows: 24, wake: "any-key", closeOnExit: false, size: { policy: "latest" },
    };
    this.#panes.set(key, { channel: this.#next++, info, output: Buffer.from(GREETING + PROMPT), base: 0 });
    return { tag: "window", key };
  }

  #split(paneId: string, orientation: "vertical" | "horizontal"): void {
    const created = this.#createPane();
    const replace = (tree: LayoutTree): LayoutTree => {
      if (tree.tag === "stack") return { ...tree, children: tree.children.map(replace) };
      return tree.key === paneId ? { tag: "stack", orientation, children: [tree, created], ratios: [0.5, 0.5] } : tree;
    };
    this.#changeTab(this.#activeTab, (tab) => ({ ...tab, layout: { root: replace(tab.layout.root) } }));
    if (created.tag === "window") this.#focus(created.key);
  }

  #closePane(paneId: string): void {
    const without = (tree: LayoutTree): LayoutTree | undefined => {
      if (tree.tag === "window") return tree.key === paneId ? undefined : tree;
      const children = tree.children.map(without).filter((child) => child !== undefined);
      const [only] = children;
      return children.length > 1 ? { ...tree, children, ratios: children.map(() => 1 / children.length) } : only;
    };
    this.#setTabs(this.#tabs.flatMap((tab) => {
      const root = without(tab.layout.root);
      return root ? [{ ...tab, layout: { root }, focus: [], zoomed: null }] : [];
    }));
    this.#panes.delete(paneId);
  }

  #focus(paneId: string): void {
    const path = (tree: LayoutTree): number[] | undefined => {
      if (tree.tag === "window") return tree.key === paneId ? [] : undefined;
      for (const [index, child] of tree.children.entries()) {
        const rest = path(child);
        if (rest) return [index, ...rest];
      }
      return undefined;
    };
    this.#tabs = this.#tabs.map((tab) => ({ ...tab, focus: path(tab.layout.root) ?? tab.focus }));
  }

  #changeTab(tabId: string | null, change: (tab: Tab) => Tab): void {
    this.#tabs = this.#tabs.map((tab) => (tab.id === tabId ? change(tab) : tab));
  }

  #setTabs(tabs: Tab[]): void {
    this.#tabs = tabs;
    if (!tabs.some(({ id }) => id === this.#activeTab)) this.#activeTab = tabs[0]?.id ?? null;
  }

  #layout(): LayoutUpdate {
    const open = this.#tabs.flatMap((tab) => panesOf(tab.layout.root)).flatMap((id) => {
      const pane = this.#panes.get(id);
      return pane ? [{ id, pane }] : [];
    });
    return {
      tabs: this.#tabs,
      activeTab: this.#activeTab,
      channels: Object.fromEntries(open.map(({ id, pane }) => [id, pane.channel])),
      connected: Object.fromEntries(open.map(({ id, pane }) => [id, pane.info.status.state === "live"])),
      panes: Object.fromEntries(open.map(({ id, pane }) => [id, pane.info])),
      revision: this.#revision,
    };
  }

  #publish(sessions: boolean): void {
    this.#revision += 1;
    const layout = this.#layout();
    this.#broadcast(sessions ? { type: "state", sessions: this.#sessions, ...layout } : { type: "layout_update", ...layout });
  }

  #broadcast(message: ServerMessage): void {
    for (const socket of this.#sockets) this.#tell(socket, message);
  }

  #tell(socket: WebSocket, message: ServerMessage): void {
    socket.send(JSON.stringify(message));
  }
}
