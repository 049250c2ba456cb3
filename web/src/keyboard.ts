// Where keys go: to a command, to a pane that waits for one, or on to the terminal.

import { type Command, commandFor } from "./model/keys.ts";

/** Whether this is a machine with Mac keys. */
export const MAC = /^Mac|^iP/.test(navigator.platform);

/** What the keyboard needs of the page. */
export interface KeyboardEvents {
  run(command: Command): void;
  /** Gives the keyboard back to the focused pane. */
  refocus(): void;
  /** Whether a pane waits for `R`. */
  awaitsRetry(paneId: string): boolean;
  respawn(paneId: string): void;
}

/** The keyboard of one page. */
export class Keyboard {
  #events: KeyboardEvents;

  constructor(events: KeyboardEvents) {
    this.#events = events;
    document.addEventListener("keydown", (event) => this.#onPage(event));
  }

  /** A key on a pane's terminal; `true`: the terminal does not get it. */
  onPane(paneId: string, event: KeyboardEvent): boolean {
    if (this.#run(event)) return true;
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey;
    if (!plain || event.key.toLowerCase() !== "r" || !this.#events.awaitsRetry(paneId)) return false;
    event.preventDefault();
    this.#events.respawn(paneId);
    return true;
  }

  /** Commands work wherever the focus is, unless a dialog is open. */
  #onPage(event: KeyboardEvent): void {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (this.#run(event)) return;
    // Typing is always meant for the focused pane.
    const idle = document.activeElement === document.body;
    if (idle && !event.ctrlKey && !event.metaKey && !event.altKey) this.#events.refocus();
  }

  #run(event: KeyboardEvent): boolean {
    const command = commandFor(event, MAC);
    if (command === undefined) return false;
    // The browser's own paste needs no permission; it fires an event that the terminal takes.
    if (command === "paste") return true;
    event.preventDefault();
    event.stopPropagation();
    this.#events.run(command);
    return true;
  }
}
