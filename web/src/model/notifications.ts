// Which notifications of programs this page has not shown yet.

import type { Notification, PaneInfo } from "../protocol.ts";

/** The notifications of all panes, as far as this page has seen them. */
export class Notifications {
  /** The number of each pane's newest one; `undefined` before the page has seen any layout. */
  #seen: Map<string, number> | undefined;

  /** What is new of some panes. What was there when the page came is not: somebody may have seen it long ago. */
  take(panes: Record<string, PaneInfo>): { paneId: string; notification: Notification }[] {
    const first = this.#seen === undefined;
    const seen = (this.#seen ??= new Map<string, number>());
    return Object.entries(panes).flatMap(([paneId, { notification }]) => {
      const before = seen.get(paneId) ?? 0;
      seen.set(paneId, notification?.number ?? before);
      // A smaller number is from a gateway that counts anew.
      return notification && !first && notification.number > before ? [{ paneId, notification }] : [];
    });
  }

  /** Forgets panes that are no more. */
  retain(isOpen: (paneId: string) => boolean): void {
    for (const paneId of [...(this.#seen?.keys() ?? [])]) {
      if (!isOpen(paneId)) this.#seen?.delete(paneId);
    }
  }
}
