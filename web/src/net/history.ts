// Fetches scrollback: for whoever looks up, and some of it before that.

import { Scrollback } from "../model/scrollback.ts";

/** What fetching needs of the page. */
export interface HistoryEvents {
  /** Whether a snapshot may take the place of a pane's content now; `wanted`: somebody waits for it. */
  mayRestart(paneId: string, wanted: boolean): boolean;
  /** Asks for a snapshot with `rows` rows of scrollback; fails if none will come. */
  fetch(paneId: string, rows: number): Promise<void>;
}

/** One pane's scrollback, and the timer that looks whether the pane is quiet. */
interface Entry {
  scrollback: Scrollback;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** The scrollback of all panes. */
export class History {
  #events: HistoryEvents;
  #entries = new Map<string, Entry>();

  constructor(events: HistoryEvents) {
    this.#events = events;
  }

  /** A pane shows a snapshot that was asked for with `asked` rows of scrollback and has `rows`. */
  restarted(paneId: string, asked: number, rows: number): void {
    this.#entry(paneId).scrollback.restarted(asked, rows, performance.now());
    this.#pump(paneId);
  }

  /** A pane's terminal has taken output in. */
  output(paneId: string): void {
    this.#entry(paneId).scrollback.output(performance.now());
    this.#pump(paneId);
  }

  /** Somebody looks at what is above a pane's screen; `atTop`: at the oldest row that is there. Returns whether more comes. */
  lookedUp(paneId: string, atTop: boolean): boolean {
    const comes = this.#entry(paneId).scrollback.lookedUp(atTop);
    this.#pump(paneId);
    return comes;
  }

  /** Somebody searches a pane. */
  searched(paneId: string): void {
    this.#entry(paneId).scrollback.wantAll();
    this.#pump(paneId);
  }

  /** The user threw the scrollback of this view away. */
  cleared(paneId: string): void {
    this.#entry(paneId).scrollback.cleared();
  }

  /** These panes are shown now. */
  shown(paneIds: string[]): void {
    for (const paneId of paneIds) this.#pump(paneId);
  }

  /** A new connection: what was asked for on an older one does not come. */
  resume(): void {
    for (const { scrollback } of this.#entries.values()) scrollback.interrupted();
  }

  /** A pane's terminal is gone. */
  remove(paneId: string): void {
    clearTimeout(this.#entries.get(paneId)?.timer);
    this.#entries.delete(paneId);
  }

  #pump(paneId: string): void {
    const entry = this.#entry(paneId);
    const next = entry.scrollback.next(performance.now());
    if (!next) return;
    if (next.wait > 0) {
      entry.timer ??= setTimeout(() => {
        entry.timer = undefined;
        this.#pump(paneId);
      }, next.wait);
      return;
    }
    // If not now, then with the next output, or when the pane is shown again.
    if (!this.#events.mayRestart(paneId, next.wanted)) return;
    entry.scrollback.fetching();
    this.#events.fetch(paneId, next.rows).catch(() => entry.scrollback.failed());
  }

  #entry(paneId: string): Entry {
    const entry = this.#entries.get(paneId) ?? { scrollback: new Scrollback(), timer: undefined };
    this.#entries.set(paneId, entry);
    return entry;
  }
}
