// Which of many things were used least recently.

/** Ids in the order of their last use. */
export class Recent {
  /** Oldest first. */
  #ids = new Set<string>();

  /** They are used now. */
  touch(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#ids.delete(id);
      this.#ids.add(id);
    }
  }

  /** It is gone. */
  remove(id: string): void {
    this.#ids.delete(id);
  }

  /** The least recently used ids beyond the newest `limit`. */
  beyond(limit: number): string[] {
    return [...this.#ids].slice(0, Math.max(0, this.#ids.size - limit));
  }
}
