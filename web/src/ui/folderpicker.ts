// Where something new is to start: a walk through the folders of a node.

import { Folders } from "../model/folders.ts";
import type { Directories } from "../protocol.ts";
import { showDialog } from "./dialog.ts";
import { el, setText } from "./dom.ts";

/** Brings the folders in a folder; without a path, those where the walk begins. */
export type ListFolders = (path?: string) => Promise<Directories>;

/** Opens the folders; `chosen` is told the path of the one that somebody settles for. */
export function openFolderPicker(title: string, list: ListFolders, chosen: (path: string) => void): void {
  new FolderPicker(title, list, chosen).open();
}

class FolderPicker {
  #title: string;
  #ask: ListFolders;
  #chosen: (path: string) => void;
  #folders = new Folders();
  /** Which of the names is marked. */
  #index = 0;
  #path = el("nav", { class: "folder-path", attrs: { "aria-label": "Folders above" } });
  #list = el("div", { class: "folder-list", attrs: { role: "listbox", tabindex: "0", "aria-label": "Folders" } });
  #text = el("p", { class: "folder-text", attrs: { role: "status" } });
  #start = el("button", { class: "button primary", text: "Start here", attrs: { type: "button" } });
  #dialog: HTMLDialogElement | undefined;

  constructor(title: string, ask: ListFolders, chosen: (path: string) => void) {
    this.#title = title;
    this.#ask = ask;
    this.#chosen = chosen;
  }

  open(): void {
    const cancel = el("button", { class: "button", text: "Cancel", attrs: { type: "button" } });
    const content = el(
      "div",
      { class: "dialog-body" },
      el("h2", { text: this.#title, attrs: { id: "folder-title" } }),
      this.#path,
      this.#list,
      this.#text,
      el("div", { class: "dialog-buttons" }, cancel, this.#start),
    );
    const dialog = showDialog(content, "folders", () => undefined);
    dialog.setAttribute("aria-labelledby", "folder-title");
    this.#dialog = dialog;
    cancel.addEventListener("click", () => dialog.close());
    this.#start.addEventListener("click", () => this.#choose());
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
    this.#list.focus();
    this.#go();
  }

  #choose(): void {
    const { current, busy } = this.#folders;
    // While another folder is on its way, nobody can know which one is meant.
    if (current === undefined || busy) return;
    this.#dialog?.close();
    this.#chosen(current);
  }

  #go(path?: string): void {
    const question = this.#folders.ask();
    const before = this.#folders.current;
    this.#ask(path).then(
      (listing) => {
        if (this.#folders.told(question, listing)) this.#arrive(before);
      },
      (error: Error) => {
        if (this.#folders.refused(question, error.message)) this.#render();
      },
    );
    this.#render();
  }

  /** Another folder is shown; on the way up, the one that was left is marked. */
  #arrive(before: string | undefined): void {
    const { names } = this.#folders;
    const left = names.findIndex((name) => before === this.#folders.below(name));
    this.#index = Math.max(0, left);
    const rows = names.map((name, index) => {
      const attrs = { role: "option", id: `folder-${index}` };
      return el("div", { class: "folder-row", text: name, attrs, click: () => this.#go(this.#folders.below(name)) });
    });
    this.#list.replaceChildren(...rows);
    this.#path.replaceChildren(...this.#crumbs());
    this.#render();
  }

  #crumbs(): HTMLElement[] {
    const { crumbs } = this.#folders;
    return crumbs.map(({ name, path }, index) => {
      if (index === crumbs.length - 1) return el("span", { text: name, attrs: { "aria-current": "location" } });
      return el("button", { text: name, attrs: { type: "button" }, click: () => this.#go(path) });
    });
  }

  #render(): void {
    const { names, error, busy, current } = this.#folders;
    this.#list.setAttribute("aria-busy", String(busy));
    this.#start.disabled = busy || current === undefined;
    const empty = current !== undefined && names.length === 0 ? "No folders in here." : "";
    setText(this.#text, error === "" ? empty : error);
    this.#text.classList.toggle("bad", error !== "");
    this.#mark();
  }

  #mark(): void {
    [...this.#list.children].forEach((row, index) => row.setAttribute("aria-selected", String(index === this.#index)));
    const marked = this.#list.children[this.#index];
    marked ? this.#list.setAttribute("aria-activedescendant", marked.id) : this.#list.removeAttribute("aria-activedescendant");
    marked?.scrollIntoView({ block: "nearest" });
  }

  #onKey(event: KeyboardEvent): void {
    const run = this.#keys()[event.key];
    if (!run) return;
    // Or else the list would scroll as well.
    event.preventDefault();
    run(event);
  }

  #keys(): Record<string, (event: KeyboardEvent) => void> {
    const last = this.#folders.names.length - 1;
    const mark = (index: number) => () => {
      this.#index = Math.min(Math.max(0, index), Math.max(0, last));
      this.#mark();
    };
    const enter = (): void => this.#enter(this.#folders.names[this.#index]);
    const leave = (): void => this.#leave(this.#folders.parent);
    return {
      ArrowDown: mark(this.#index + 1),
      ArrowUp: mark(this.#index - 1),
      Home: mark(0),
      End: mark(last),
      ArrowRight: enter,
      ArrowLeft: leave,
      Backspace: leave,
      Enter: (event) => (event.ctrlKey ? this.#choose() : enter()),
    };
  }

  #enter(name: string | undefined): void {
    if (name !== undefined) this.#go(this.#folders.below(name));
  }

  #leave(parent: string | undefined): void {
    if (parent !== undefined) this.#go(parent);
  }
}
