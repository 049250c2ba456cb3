// The tabs of the session that is shown.

import type { Attention } from "../model/attention.ts";
import { activeSession, focusedPane, type Model, tabsOf } from "../model/model.ts";
import { foreignNodes } from "../model/nodes.ts";
import { gravestMark, gravestProgress } from "../model/shell.ts";
import { dropIndex } from "../model/taborder.ts";
import { tabDetail } from "../model/text.ts";
import { panesOf } from "../model/tree.ts";
import type { Tab } from "../protocol.ts";
import { el, iconButton, setText } from "./dom.ts";
import { editInline } from "./inline.ts";
import { ProgressBar } from "./progressbar.ts";

/** What the tab bar asks for. */
export interface TabBarEvents {
  select(tabId: string): void;
  close(tabId: string): void;
  create(): void;
  rename(tabId: string, name: string): void;
  move(tabId: string, index: number): void;
  /** The bar no longer needs the keyboard. */
  done(): void;
}

/** One tab's button. */
interface Entry {
  element: HTMLElement;
  label: HTMLElement;
  detail: HTMLElement;
  node: HTMLElement;
  badge: HTMLElement;
  progress: ProgressBar;
  name: string;
}

/** The tab bar. */
export class TabBar {
  readonly element: HTMLElement;
  #events: TabBarEvents;
  #list = el("div", { class: "tabs", attrs: { role: "tablist" } });
  #entries = new Map<string, Entry>();
  #order: string[] = [];
  #dragged: string | undefined;

  constructor(events: TabBarEvents) {
    this.#events = events;
    const create = iconButton("plus", "New tab (Ctrl+Shift+Enter)", () => events.create());
    this.element = el("nav", { class: "tab-bar" }, this.#list, create);
    this.element.addEventListener("dblclick", (event) => {
      if (event.target === this.element) events.create();
    });
  }

  /** Shows the tabs as they are. */
  show(model: Model, attention: Attention): void {
    const tabs = tabsOf(model, activeSession(model)?.id);
    this.#order = tabs.map((tab) => tab.id);
    for (const [tabId, entry] of this.#entries) {
      if (!this.#order.includes(tabId)) {
        entry.element.remove();
        this.#entries.delete(tabId);
      }
    }
    tabs.forEach((tab, index) => {
      const { element } = this.#update(tab, model, attention);
      if (this.#list.children[index] !== element) this.#list.insertBefore(element, this.#list.children[index] ?? null);
    });
  }

  /** Opens a text field for a tab's name. */
  rename(tabId: string): void {
    const entry = this.#entries.get(tabId);
    if (!entry) return;
    const commit = (name: string): void => {
      if (name !== "") this.#events.rename(tabId, name);
    };
    editInline(entry.label, entry.name, commit, () => this.#events.done());
  }

  #update(tab: Tab, model: Model, attention: Attention): Entry {
    const entry = this.#entries.get(tab.id) ?? this.#add(tab.id);
    const active = tab.id === model.activeTab;
    const panes = panesOf(tab.layout.root);
    entry.name = tab.name;
    setText(entry.label, tab.name);
    setText(entry.detail, tabDetail(tab.name, model.panes[focusedPane(tab) ?? ""]));
    if (active && !entry.element.classList.contains("active")) entry.element.scrollIntoView({ inline: "nearest", block: "nearest" });
    entry.element.classList.toggle("active", active);
    entry.element.classList.toggle("dead", panes.every((paneId) => !model.connected[paneId]));
    entry.element.setAttribute("aria-selected", String(active));
    entry.element.dataset["attention"] = attention.among(panes) ?? "";
    const infos = panes.map((paneId) => model.panes[paneId]);
    setText(entry.node, foreignNodes(infos));
    entry.node.hidden = entry.node.textContent === "";
    entry.element.title = tabTitle(tab.name, panes.length, entry.node.textContent ?? "");
    const mark = gravestMark(infos);
    entry.element.dataset["shell"] = mark?.state ?? "";
    entry.badge.title = mark?.text ?? "";
    entry.progress.show(gravestProgress(infos));
    return entry;
  }

  #add(tabId: string): Entry {
    const label = el("span", { class: "tab-label" });
    const detail = el("span", { class: "tab-detail" });
    const close = iconButton("close", "Close tab", (event) => {
      event.stopPropagation();
      this.#events.close(tabId);
    });
    const badge = el("span", { class: "tab-badge" });
    const node = el("span", { class: "node-name" });
    const text = el("span", { class: "tab-text" }, label, detail);
    const progress = new ProgressBar();
    const attrs = { role: "tab", draggable: "true" };
    const element = el("div", { class: "tab", attrs }, badge, text, node, close, progress.element);
    element.addEventListener("mousedown", (event) => {
      // No focus taken, and no autoscroll with the middle button.
      if (event.button === 1) event.preventDefault();
    });
    element.addEventListener("click", () => this.#events.select(tabId));
    element.addEventListener("auxclick", (event) => {
      if (event.button === 1) this.#events.close(tabId);
    });
    element.addEventListener("dblclick", () => this.rename(tabId));
    this.#makeDraggable(element, tabId);
    const entry = { element, label, detail, node, badge, progress, name: "" };
    this.#entries.set(tabId, entry);
    return entry;
  }

  #makeDraggable(element: HTMLElement, tabId: string): void {
    const unmark = (): void => element.classList.remove("drop-before", "drop-after");
    element.addEventListener("dragstart", (event) => {
      this.#dragged = tabId;
      event.dataTransfer?.setData("text/plain", "");
    });
    element.addEventListener("dragend", () => {
      this.#dragged = undefined;
      this.#events.done();
    });
    element.addEventListener("dragover", (event) => {
      if (this.#dragged === undefined) return;
      event.preventDefault();
      unmark();
      element.classList.add(isAfter(event, element) ? "drop-after" : "drop-before");
    });
    element.addEventListener("dragleave", unmark);
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      unmark();
      if (this.#dragged === undefined) return;
      const index = dropIndex(this.#order, this.#dragged, tabId, isAfter(event, element));
      if (index !== undefined) this.#events.move(this.#dragged, index);
    });
  }
}

function tabTitle(name: string, panes: number, node: string): string {
  return [name, panes === 1 ? "" : `${panes} panes`, node === "" ? "" : `on ${node}`].filter((part) => part !== "").join(" — ");
}

function isAfter(event: DragEvent, element: HTMLElement): boolean {
  const { left, width } = element.getBoundingClientRect();
  return event.clientX > left + width / 2;
}
