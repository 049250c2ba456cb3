// Numbers and names, as people read them.

import type { ErrorMessage, Notification, PaneInfo } from "../protocol.ts";

/** What a pane is called: the name it was given, else its program's title. */
export function paneLabel(info: PaneInfo | undefined): string {
  return info?.name || info?.title || "shell";
}

/** The last two parts of a directory's path. */
export function cwdTail(cwd: string | null | undefined): string {
  if (!cwd) return "";
  const parts = cwd.split("/").filter((part) => part !== "");
  if (parts.length <= 2) return cwd;
  return `…/${parts.slice(-2).join("/")}`;
}

/** What a tab shows beside its name while that is only the number it was made with: what its pane is about. */
export function tabDetail(name: string, focused: PaneInfo | undefined): string {
  if (!/^\d+$/.test(name)) return "";
  return focused?.name || focused?.title || focused?.cwd?.split("/").filter((part) => part !== "").at(-1) || "";
}

/** A tab's name with its detail, if it has one. */
export function tabLabel(name: string, focused: PaneInfo | undefined): string {
  return `${name} ${tabDetail(name, focused)}`.trimEnd();
}

/** `1 byte`, `312 bytes`, `4.5 KiB`, `64 KiB`. */
export function byteCount(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  const unit = bytes < 1 << 20 ? "KiB" : "MiB";
  const value = bytes / (bytes < 1 << 20 ? 1 << 10 : 1 << 20);
  return `${value < 10 ? value.toFixed(1).replace(".0", "") : Math.round(value)} ${unit}`;
}

/** How long ago `at` was; both in milliseconds since the Unix epoch. */
export function ago(at: number, now: number): string {
  const seconds = Math.floor((now - at) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} days ago`;
}

/** A time span in milliseconds, in whole seconds; the seconds of a minute have two digits, so that its width stays. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

/** How long until `at`: never negative, whole seconds. */
export function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1000));
}

/** Input that did not get through. */
export interface Loss {
  /** The pane, if it was for one only. */
  paneId?: string;
  bytes: number;
  /** There was no room; an interrupt key; the connection broke, so that nobody knows; or the pane it was for is gone. */
  why: "full" | "interrupted" | "cut" | "closed";
}

/** Tells of lost input. */
export function lostText(loss: Loss, panes: Record<string, PaneInfo>): string {
  const count = byteCount(loss.bytes);
  if (loss.why === "cut") return `The connection broke with ${count} of input on the way; they may not have arrived.`;
  if (loss.why === "closed") return `${count} not delivered: the pane they were typed into is gone.`;
  if (loss.why === "interrupted") return `${prefix(loss.paneId, panes)}${count} not sent: you interrupted the program before.`;
  return `${prefix(loss.paneId, panes)}${count} not taken, because too much is waiting already.`;
}

/** A program's notification: where it comes from, unless it says so, and what it says. */
export function notificationText({ title, body }: Notification, info: PaneInfo | undefined): { title: string; body: string } {
  return { title: title === "" ? paneLabel(info) : title, body };
}

/** Tells of a refusal that answers no request. */
export function refusalText(error: ErrorMessage, panes: Record<string, PaneInfo>): string {
  const bytes = error.bytes === undefined ? "" : `${byteCount(error.bytes)} not taken. `;
  return `${prefix(error.paneId, panes)}${bytes}${error.message}`;
}

function prefix(paneId: string | undefined, panes: Record<string, PaneInfo>): string {
  return paneId === undefined ? "" : `${paneLabel(panes[paneId])}: `;
}
