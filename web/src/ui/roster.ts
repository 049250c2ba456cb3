// The list of nodes: how each of them is, and what can be done there. Connected only while it is open.

import { foreignNode, LOCAL_NODE, type NodeLine, nodeLines, type NodesStatus, type Place, reduceNodes, rosterText } from "../model/nodes.ts";
import { paneLabel } from "../model/text.ts";
import { NodeLink } from "../net/nodelink.ts";
import type { NodeRecord, PaneInfo } from "../protocol.ts";
import { showDialog } from "./dialog.ts";
import { el, setText } from "./dom.ts";
import { openFolderPicker } from "./folderpicker.ts";

/** What the roster needs of the page. */
export interface RosterEvents {
  /** What is told of all panes. */
  panes(): Record<string, PaneInfo>;
  /** The pane that commands are meant for. */
  focusedPane(): string | undefined;
  newTab(place: Place): void;
  /** Splits the focused pane. */
  newPane(place: Place): void;
  /** The focused pane's next terminal is to start on a node. */
  movePane(node: string): void;
  /** The roster no longer needs the keyboard. */
  done(): void;
}

/** One node's line. */
interface Row {
  element: HTMLElement;
  panes: HTMLElement;
  place: HTMLElement;
  state: HTMLElement;
  newTab: HTMLButtonElement;
  newPane: HTMLButtonElement;
  move: HTMLButtonElement;
}

/** The roster. */
export class Roster {
  #events: RosterEvents;
  #link: NodeLink;
  #dialog: HTMLDialogElement | undefined;
  #list = el("ul", { class: "roster-list" });
  #text = el("p", { class: "roster-text", attrs: { role: "status" } });
  #rows = new Map<string, Row>();
  #nodes: NodeRecord[] = [];
  #status: NodesStatus = { state: "connecting", since: 0 };

  constructor(url: string, events: RosterEvents) {
    this.#events = events;
    this.#link = new NodeLink(url, {
      event: (event) => this.#show(reduceNodes(this.#nodes, event, Date.now())),
      nodes: (nodes) => this.#show(nodes),
      status: (status) => {
        this.#status = status;
        this.#render();
      },
    });
  }

  /** Opens it. */
  open(): void {
    if (this.#dialog) return;
    this.#nodes = [];
    const close = el("button", { class: "button", text: "Close", attrs: { type: "button" } });
    const content = el(
      "div",
      { class: "dialog-body" },
      el("h2", { text: "Nodes", attrs: { id: "roster-title" } }),
      this.#text,
      this.#list,
      el("div", { class: "dialog-buttons" }, close),
    );
    const clock = setInterval(() => this.#render(), 1000);
    const dialog = showDialog(content, "roster", () => {
      clearInterval(clock);
      this.#dialog = undefined;
      this.#link.close();
      this.#events.done();
    });
    dialog.setAttribute("aria-labelledby", "roster-title");
    this.#dialog = dialog;
    close.addEventListener("click", () => dialog.close());
    close.focus();
    this.#link.open();
  }

  #show(nodes: NodeRecord[]): void {
    this.#nodes = nodes;
    this.#render();
  }

  #render(): void {
    const lines = nodeLines(this.#nodes, this.#events.panes(), Date.now());
    setText(this.#text, rosterText(this.#status, lines.length, Date.now()));
    this.#text.hidden = this.#text.textContent === "";
    this.#list.classList.toggle("stale", this.#status.state !== "open");
    for (const [id, row] of this.#rows) {
      if (lines.some((line) => line.id === id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    lines.forEach((line, index) => {
      const { element } = this.#update(line);
      // A row that is in its place is left there: moving it would take the focus from its buttons.
      if (this.#list.children[index] !== element) this.#list.insertBefore(element, this.#list.children[index] ?? null);
    });
  }

  #update(line: NodeLine): Row {
    const row = this.#rows.get(line.id) ?? this.#add(line.id);
    row.element.dataset["health"] = line.health;
    setText(row.panes, line.panes);
    setText(row.place, `${line.machine} · ${line.cwd}`);
    row.place.title = line.cwd;
    setText(row.state, line.state);
    const focused = this.#events.focusedPane();
    const info = focused === undefined ? undefined : this.#events.panes()[focused];
    const lonely = info === undefined ? "No pane has the focus" : undefined;
    const there = (foreignNode(info) || LOCAL_NODE) === line.id ? `“${paneLabel(info)}” is there already` : undefined;
    enable(row.newTab, line.unfit, `A tab on ${line.id}`);
    enable(row.newPane, line.unfit ?? lonely, `A pane on ${line.id}, beside “${paneLabel(info)}”`);
    enable(row.move, line.unfit ?? lonely ?? there, `“${paneLabel(info)}” starts on ${line.id} the next time`);
    return row;
  }

  #add(id: string): Row {
    const button = (text: string, click: () => void): HTMLButtonElement =>
      el("button", { class: "button small", text, attrs: { type: "button", "aria-label": `${text}: ${id}` }, click });
    const panes = el("span", { class: "roster-panes" });
    const place = el("span", { class: "roster-place" });
    const state = el("span", { class: "roster-state" });
    const newTab = button("New tab here", () => this.#pick(id, `New tab on ${id}`, (cwd) => this.#events.newTab({ node: id, cwd })));
    const newPane = button("New pane here", () => this.#pick(id, `New pane on ${id}`, (cwd) => this.#events.newPane({ node: id, cwd })));
    const move = button("Move focused pane here", () => this.#leave(() => this.#events.movePane(id)));
    const dot = el("span", { class: "roster-dot", attrs: { "aria-hidden": "true" } });
    const element = el(
      "li",
      { class: "roster-row" },
      el("div", { class: "roster-head" }, dot, el("strong", { text: id, title: id }), panes),
      place,
      state,
      el("div", { class: "roster-actions" }, newTab, newPane, move),
    );
    const row = { element, panes, place, state, newTab, newPane, move };
    this.#rows.set(id, row);
    return row;
  }

  /** Asks for a folder of a node, and goes on with it. */
  #pick(node: string, title: string, chosen: (cwd: string) => void): void {
    const list = (path?: string): ReturnType<NodeLink["folders"]> => this.#link.folders(node, path);
    openFolderPicker(title, list, (path) => this.#leave(() => chosen(path)));
  }

  /** Closes the roster and then does something. */
  #leave(run: () => void): void {
    // Its close event comes later: what is done must not find the dialog in the way.
    this.#dialog?.addEventListener("close", run, { once: true });
    this.#dialog?.close();
  }
}

/** Lets a button be used, and says what it does or why it can't be. */
function enable(button: HTMLButtonElement, why: string | undefined, what: string): void {
  button.disabled = why !== undefined;
  button.title = why ?? what;
}
