// What a pane without a terminal says about itself.

import type { PaneInfo, PaneStatus, WakePolicy } from "../protocol.ts";
import { ago, secondsUntil } from "./text.ts";

/** The content of the card on a dimmed pane. */
export interface Card {
  /** How things stand: `busy` turns a wheel, `bad` is red. */
  tone: "calm" | "busy" | "bad";
  /** The state, in a word or two. */
  title: string;
  /** Why, and since when. */
  cause: string;
  /** What brings it back. */
  hint: string;
  /** The label of the button that starts a new terminal, if one is needed. */
  button: string | undefined;
}

/** The card of a pane; `now` in milliseconds since the Unix epoch. */
export function card(info: Pick<PaneInfo, "status" | "wake">, now: number): Card {
  const { status, wake } = info;
  switch (status.state) {
    case "starting":
      return { tone: "busy", title: "Starting…", cause: "", hint: "what you type is kept", button: undefined };
    case "failed":
      return failedCard(status, wake, now);
    case "live":
    case "exited":
      return { tone: "calm", title: "Disconnected", cause: cause(status, now), hint: wakeHint(wake), button: wakeButton(wake) };
  }
}

/** Whether the pane waits for somebody to ask for a new terminal, so that no key is lost by taking `R` for that. */
export function awaitsRetry(status: PaneStatus | undefined): boolean {
  return status?.state === "failed" && status.retryAt === undefined;
}

function failedCard(status: Extract<PaneStatus, { state: "failed" }>, wake: WakePolicy, now: number): Card {
  const bad = { tone: "bad", title: "Could not start", cause: status.reason } as const;
  if (status.retryAt === undefined) return { ...bad, hint: "gave up; press R to try again", button: "Try again" };
  const seconds = secondsUntil(status.retryAt, now);
  const hint = seconds > 0 ? `next try possible in ${seconds} s` : wakeHint(wake);
  return { ...bad, hint, button: wakeButton(wake) };
}

function cause(status: PaneStatus, now: number): string {
  if (status.state !== "exited") return "";
  const when = ago(status.at, now);
  if (status.signal !== undefined) return `Killed by ${status.signal} · ${when}`;
  if (status.code !== undefined) return `Exited with code ${status.code} · ${when}`;
  return `Ended with the gateway · ${when}`;
}

function wakeHint(wake: WakePolicy): string {
  switch (wake) {
    case "any-key":
      return "press any key to reconnect";
    case "enter":
      return "press Enter to reconnect";
    case "manual":
      return "restarts only when asked to";
  }
}

function wakeButton(wake: WakePolicy): string | undefined {
  return wake === "manual" ? "Restart" : undefined;
}
