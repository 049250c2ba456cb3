// One pane on the page: title bar, terminal, and the card that shows while it has no terminal.

import type { Rect } from "../model/tree.ts";
import { foreignNode } from "../model/nodes.ts";
import { shellMark } from "../model/shell.ts";
import { Steady } from "../model/steady.ts";
import { cwdTail, paneLabel } from "../model/text.ts";
import type { Cells } from "../net/frame.ts";
import type { PaneInfo } from "../protocol.ts";
import { type Look, PaneTerminal, type TerminalEvents } from "../term/paneterminal.ts";
import { DeadCard } from "./deadcard.ts";
import { el, iconButton, setIcon, setText } from "./dom.ts";
import { FindBar } from "./findbar.ts";
import { editInline } from "./inline.ts";
import { ProgressBar } from "./progressbar.ts";

/** How a pane stands. */
export interface PaneState {
  info: PaneInfo | undefined;
  connected: boolean;
  focused: boolean;
  zoomed: boolean;
  /** Whether it has its tab to itself. */
  alone: boolean;
}

/** What a pane asks for. */
export interface PaneEvents extends Omit<TerminalEvents, "found"> {
  focus(): void;
  splitRight(): void;
  splitDown(): void;
  zoom(): void;
  close(): void;
  rename(name: string): void;
  respawn(): void;
  discard(): void;
  /** Somebody searches it. */
  searched(): void;
  /** The room for its terminal was measured. */
  measured(cells: Cells): void;
}

/** One pane's element. */
export class PaneView {
  readonly element: HTMLElement;
  readonly terminal: PaneTerminal;
  #events: PaneEvents;
  #mount = el("div", { class: "pane-mount" });
  #scroller = el("div", { class: "pane-scroller" }, this.#mount);
  #body = el("div", { class: "pane-body" }, this.#scroller);
  #dot = el("span", { class: "dot" });
  #label = el("span", { class: "pane-label" });
  #cwd = el("span", { class: "pane-cwd" });
  #node = el("span", { class: "node-name" });
  #chip = el("span", { class: "pane-chip", text: "zoomed" });
  #progress = new ProgressBar();
  #zoom: HTMLButtonElement;
  #card: DeadCard;
  #find: FindBar;
  #info: PaneInfo | undefined;
  #steady = new Steady();
  /** Rings when a state that may pass has lasted. */
  #lasted: ReturnType<typeof setTimeout> | undefined;
  #opened = false;
  #visible = false;

  constructor(look: Look, events: PaneEvents) {
    this.#events = events;
    this.terminal = new PaneTerminal(look, {
      ...events,
      parsed: (piece, idle) => {
        events.parsed(piece, idle);
        if (idle) this.#card.keepOff(this.terminal.isLow);
      },
      found: (matches) => this.#find.found(matches),
      restarted: (asked, rows) => {
        events.restarted(asked, rows);
        this.#find.refresh();
      },
    });
    this.#card = new DeadCard(events);
    this.#find = new FindBar(this.terminal.search, { opened: () => events.searched(), closed: () => this.focus() });
    this.#zoom = iconButton("zoom", "Zoom", () => events.zoom());
    this.element = el("section", { class: "pane" }, this.#titleBar(), this.#body);
    this.#body.append(this.#find.element, this.#card.element);
    this.element.addEventListener("pointerdown", () => events.focus(), { capture: true });
  }

  /** Puts the pane in its place, or hides it. */
  place(rect: Rect | undefined): void {
    this.#visible = rect !== undefined;
    this.element.hidden = rect === undefined;
    if (rect) {
      this.element.style.left = `${rect.left}px`;
      this.element.style.top = `${rect.top}px`;
      this.element.style.width = `${rect.width}px`;
      this.element.style.height = `${rect.height}px`;
    }
    if (this.#visible && !this.#opened) {
      this.terminal.open(this.#mount);
      this.#opened = true;
    }
    this.terminal.setVisible(this.#visible);
    if (this.#visible) this.measure();
  }

  /** Shows the pane as it stands. */
  update(state: PaneState): void {
    const { info } = state;
    this.#info = info;
    this.element.classList.toggle("focused", state.focused);
    this.element.classList.toggle("alone", state.alone);
    const mark = shellMark(info);
    this.#dot.dataset["shell"] = mark?.state ?? "";
    this.#dot.title = mark?.text ?? "";
    this.#progress.show(info?.progress);
    setText(this.#label, paneLabel(info));
    setText(this.#cwd, cwdTail(info?.cwd));
    this.#cwd.title = info?.cwd ?? "";
    setText(this.#node, foreignNode(info));
    this.#node.title = `On node ${this.#node.textContent}`;
    this.#node.hidden = this.#node.textContent === "";
    setIcon(this.#zoom, state.zoomed ? "unzoom" : "zoom", state.zoomed ? "Back to the splits" : "Zoom");
    this.#chip.hidden = !state.zoomed || state.alone;
    this.#showState(state);
    this.#letterbox();
  }

  /** Measures the room for the terminal and tells the owner. */
  measure(): void {
    if (!this.#opened || !this.#visible) return;
    // The mount is as large as the body whatever the terminal's size, or else one would follow the other.
    this.#mount.style.width = `${this.#body.clientWidth}px`;
    this.#mount.style.height = `${this.#body.clientHeight}px`;
    const room = this.terminal.room();
    if (room) this.#events.measured(room);
    this.#letterbox();
  }

  setLook(look: Look): void {
    this.terminal.setLook(look);
    this.measure();
  }

  /** Whether a snapshot may take the place of its content now; `wanted`: somebody waits for it. */
  mayRestart(wanted: boolean): boolean {
    // A snapshot of the other screen has no scrollback, and a selection would be lost.
    const { isOnOtherScreen, selection } = this.terminal;
    return !isOnOtherScreen && (wanted || (this.#visible && selection === ""));
  }

  /** Opens the find bar. */
  find(): void {
    this.#find.open(this.terminal.selection);
  }

  /** Opens a text field for the pane's name. */
  rename(): void {
    editInline(this.#label, this.#info?.name ?? "", this.#events.rename, () => this.focus());
  }

  /** Shows that the bell rang. */
  ring(): void {
    this.element.classList.remove("ringing");
    // Reading a size restarts the animation.
    void this.element.offsetWidth;
    this.element.classList.add("ringing");
  }

  focus(): void {
    if (this.#visible) this.terminal.focus();
  }

  dispose(): void {
    clearTimeout(this.#lasted);
    this.#card.dispose();
    this.terminal.dispose();
    this.element.remove();
  }

  /** Dims the pane and says why, unless that may be over in a moment. */
  #showState(pane: PaneState): void {
    const { info, connected } = pane;
    clearTimeout(this.#lasted);
    const state = info?.status.state ?? "live";
    const verdict = this.#steady.take(state, performance.now());
    if (verdict !== "show") {
      this.#lasted = setTimeout(() => this.#showState(pane), verdict);
      return;
    }
    this.element.classList.toggle("dead", !connected);
    this.element.dataset["state"] = state;
    this.#card.update(info, connected);
    this.#card.keepOff(this.terminal.isLow);
  }

  /** Marks a terminal that does not fill its pane because another viewer decides its size. */
  #letterbox(): void {
    const room = this.#opened && this.#visible ? this.terminal.room() : undefined;
    const info = this.#info;
    const other = room !== undefined && info !== undefined && (info.cols !== room.cols || info.rows !== room.rows);
    this.element.classList.toggle("letterboxed", other);
  }

  #titleBar(): HTMLElement {
    const events = this.#events;
    const label = el("div", { class: "pane-title" }, this.#dot, this.#label, this.#cwd, this.#node, this.#chip);
    label.addEventListener("dblclick", () => this.rename());
    return el(
      "header",
      { class: "pane-bar" },
      label,
      el(
        "div",
        { class: "pane-buttons" },
        iconButton("split-right", "Split right (Ctrl+Shift+E)", () => events.splitRight()),
        iconButton("split-down", "Split down (Ctrl+Shift+O)", () => events.splitDown()),
        this.#zoom,
        iconButton("close", "Close pane (Ctrl+Shift+X)", () => events.close()),
      ),
      this.#progress.element,
    );
  }
}
