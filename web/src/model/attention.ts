// Which panes want to be looked at.

/** Why a pane wants to be looked at. */
export type Reason = "death" | "bell" | "done";

/** The gravest first. */
const GRAVITY: Reason[] = ["death", "bell", "done"];

/** The panes that something happened in while nobody saw it. */
export class Attention {
  #reasons = new Map<string, Reason>();

  /** How many panes want to be looked at. */
  get count(): number {
    return this.#reasons.size;
  }

  /** Something happened in a pane. A graver reason is not covered up by a later one. */
  mark(paneId: string, reason: Reason): void {
    const before = this.#reasons.get(paneId);
    if (before === undefined || GRAVITY.indexOf(reason) < GRAVITY.indexOf(before)) this.#reasons.set(paneId, reason);
  }

  /** They are being looked at. */
  seen(paneIds: Iterable<string>): void {
    for (const paneId of paneIds) this.#reasons.delete(paneId);
  }

  /** Forgets panes that are no more. */
  retain(isOpen: (paneId: string) => boolean): void {
    for (const paneId of this.#reasons.keys()) {
      if (!isOpen(paneId)) this.#reasons.delete(paneId);
    }
  }

  /** The gravest reason among some panes. */
  among(paneIds: Iterable<string>): Reason | undefined {
    const reasons = new Set([...paneIds].map((paneId) => this.#reasons.get(paneId)));
    return GRAVITY.find((reason) => reasons.has(reason));
  }
}
