// Tells the gateway how large this page shows its panes: only what changed, and not with every pixel of a drag.

import type { Cells } from "./frame.ts";
import type { Gateway } from "./gateway.ts";

/** How long sizes are gathered before they are sent, in milliseconds. */
const GATHER_MS = 80;

/** The measured sizes of this page's panes. */
export class Sizes {
  #gateway: Pick<Gateway, "isOpen" | "mention">;
  #measured = new Map<string, Cells>();
  /** What the gateway was told on this connection. */
  #told = new Map<string, Cells>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(gateway: Pick<Gateway, "isOpen" | "mention">) {
    this.#gateway = gateway;
  }

  /** A pane was measured. */
  measured(paneId: string, cells: Cells): void {
    this.#measured.set(paneId, cells);
    this.#timer ??= setTimeout(() => this.#tell(), GATHER_MS);
  }

  /** A pane is not shown any more. */
  remove(paneId: string): void {
    this.#measured.delete(paneId);
    this.#told.delete(paneId);
  }

  /**
   * A new connection: the gateway knows nothing of this page. To be called before it is told the viewport, from which
   * it would guess sizes that are nearly those that were measured: programs would be resized there and back.
   */
  resume(): void {
    this.#told.clear();
    this.#tell();
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#gateway.isOpen) return;
    for (const [paneId, { cols, rows }] of this.#measured) {
      const told = this.#told.get(paneId);
      if (told?.cols === cols && told.rows === rows) continue;
      this.#told.set(paneId, { cols, rows });
      this.#gateway.mention({ type: "pane_resize", paneId, cols, rows });
    }
  }
}
