// Which panes want to be looked at.

/** Why a pane wants to be looked at. */
export type Reason = "bell" | "death";

/** The panes that something happened in while nobody saw it. */
export class Attention {
  #reasons = new Map<string, Reason>();

  /** How many panes want to be looked at. */
  get count(): number {
    return this.#reasons.size;
  }

  /** Something happened in a pane. A death is not covered up by a later bell. */
  mark(paneId: string, reason: Reason): void {
    if (this.#reasons.get(paneId) !== "death") this.#reasons.set(paneId, reason);
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
    let found: Reason | undefined;
    for (const paneId of paneIds) {
      const reason = this.#reasons.get(paneId);
      if (reason === "death") return reason;
      found ??= reason;
    }
    return found;
  }
}
