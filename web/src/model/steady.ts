// Keeps states that pass at once from flashing up. Knows no clock: every call brings the time in milliseconds.

import type { PaneStatus } from "../protocol.ts";

/** How long a passing state must last to be shown, in milliseconds. */
const LAST_MS = 300;

/** The states that mostly pass by themselves. */
const PASSING: readonly PaneStatus["state"][] = ["starting", "lost", "asleep", "waking"];

/** What of a pane's states is shown. */
export class Steady {
  /** The state that is shown; a pane that is new looks live. */
  #shown: PaneStatus["state"] = "live";
  /** Since when it is not true any more, if so. */
  #since: number | undefined;

  /** A pane is in this state; whether to show it now, or else in how many milliseconds to ask again. */
  take(state: PaneStatus["state"], now: number): "show" | number {
    if (state === this.#shown || !PASSING.includes(state)) return this.#show(state);
    this.#since ??= now;
    const left = this.#since + LAST_MS - now;
    return left > 0 ? left : this.#show(state);
  }

  #show(state: PaneStatus["state"]): "show" {
    this.#shown = state;
    this.#since = undefined;
    return "show";
  }
}
