// What a pane without a terminal says about itself.

import type { PaneInfo, PaneStatus, WakePolicy } from "../protocol.ts";
import { ago, duration, secondsUntil } from "./text.ts";

/** What becomes of input meanwhile. */
const KEPT = "what you type is kept";

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
  /** How long it has been so, where somebody waits for that; changes every second. */
  clock: string;
  /** The label of the button that starts a new terminal, if one is needed. */
  button: string | undefined;
}

/** The card of a pane; `now` in milliseconds since the Unix epoch. */
export function card(info: Pick<PaneInfo, "status" | "wake" | "node">, now: number): Card {
  const { status, wake, node } = info;
  switch (status.state) {
    case "starting":
      return { tone: "busy", title: "Starting…", cause: "", hint: KEPT, clock: "", button: undefined };
    case "failed":
      return failedCard(status, wake, now);
    case "lost":
    case "asleep":
      return awayCard(status, wake, node, now);
    case "waking":
      return wakingCard(status, node, now);
    case "live":
    case "exited":
      return {
        tone: "calm",
        title: "Disconnected",
        cause: cause(status, now),
        hint: wakeHint(wake, "reconnect"),
        clock: "",
        button: wakeButton(wake, "Restart"),
      };
  }
}

/** Whether the pane waits for somebody to ask for a new terminal, so that no key is lost by taking `R` for that. */
export function awaitsRetry(status: PaneStatus | undefined): boolean {
  return status?.state === "failed" && status.retryAt === undefined;
}

function failedCard(status: Extract<PaneStatus, { state: "failed" }>, wake: WakePolicy, now: number): Card {
  const bad = { tone: "bad", title: "Could not start", cause: status.reason, clock: "" } as const;
  if (status.retryAt === undefined) return { ...bad, hint: "gave up; press R to try again", button: "Try again" };
  const seconds = secondsUntil(status.retryAt, now);
  const hint = seconds > 0 ? `next try possible in ${seconds} s` : wakeHint(wake, "reconnect");
  return { ...bad, hint, button: wakeButton(wake, "Restart") };
}

function awayCard(status: Extract<PaneStatus, { state: "lost" | "asleep" }>, wake: WakePolicy, node: string, now: number): Card {
  const when = ago(status.since, now);
  const asleep = status.state === "asleep";
  const fact = asleep ? `${node} went to sleep ${when}` : `lost ${when}; its program may live on there`;
  return {
    tone: status.reason === undefined ? "calm" : "bad",
    title: asleep ? "Asleep" : `Node ${node} is lost`,
    cause: status.reason === undefined ? fact : `Could not be woken: ${status.reason} · ${fact}`,
    hint: wake === "manual" ? "wakes only when asked to" : wakeHint(wake, status.reason === undefined ? "wake it" : "try again"),
    clock: "",
    button: wakeButton(wake, "Wake"),
  };
}

function wakingCard(status: Extract<PaneStatus, { state: "waking" }>, node: string, now: number): Card {
  return {
    tone: "busy",
    title: `Waking ${node}…`,
    cause: KEPT,
    hint: `attempt ${status.attempt},`,
    clock: duration(now - status.since),
    button: undefined,
  };
}

function cause(status: PaneStatus, now: number): string {
  if (status.state !== "exited") return "";
  const when = ago(status.at, now);
  if (status.signal !== undefined) return `Killed by ${status.signal} · ${when}`;
  if (status.code !== undefined) return `Exited with code ${status.code} · ${when}`;
  return `Ended with the gateway · ${when}`;
}

function wakeHint(wake: WakePolicy, purpose: string): string {
  switch (wake) {
    case "any-key":
      return `press any key to ${purpose}`;
    case "enter":
      return `press Enter to ${purpose}`;
    case "manual":
      return "restarts only when asked to";
  }
}

function wakeButton(wake: WakePolicy, label: string): string | undefined {
  return wake === "manual" ? label : undefined;
}
