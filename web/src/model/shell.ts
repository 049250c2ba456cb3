// What a pane's shell and its programs tell of themselves, as tabs and title bars show it.

import type { PaneInfo, Progress } from "../protocol.ts";

/** A command that ran for longer than this, in milliseconds, is worth a mark when it ends. */
const LONG_MS = 10_000;

/** How the last command stands. */
export interface ShellMark {
  state: "running" | "failed";
  /** For people. */
  text: string;
}

/** What an error looks like is graver than what is on its way. */
const GRAVITY: Progress["state"][] = ["error", "paused", "normal", "indeterminate"];

/** The mark of a pane; none while its shell waits and all was well, or does not tell. */
export function shellMark(info: PaneInfo | undefined): ShellMark | undefined {
  const shell = info?.shell;
  if (!shell || info.status.state !== "live") return undefined;
  const command = shell.command ?? "";
  if (shell.running) return { state: "running", text: command === "" ? "Running" : `Running: ${command}` };
  if (!shell.exit) return undefined;
  return { state: "failed", text: `${command === "" ? "The last command" : command} exited with code ${shell.exit}` };
}

/** The mark of several panes: a failure first. */
export function gravestMark(infos: (PaneInfo | undefined)[]): ShellMark | undefined {
  const marks = infos.map(shellMark).filter((mark) => mark !== undefined);
  return marks.find(({ state }) => state === "failed") ?? marks[0];
}

/** The progress of several panes: an error first. */
export function gravestProgress(infos: (PaneInfo | undefined)[]): Progress | undefined {
  const all = infos.map((info) => info?.progress).filter((progress) => progress !== undefined);
  return GRAVITY.flatMap((state) => all.filter((progress) => progress.state === state))[0];
}

/** The panes in which a long command has ended since `before`. */
export function longEnds(before: Record<string, PaneInfo>, after: Record<string, PaneInfo>): string[] {
  return Object.keys(after).filter((paneId) => {
    const [then, now] = [before[paneId]?.shell, after[paneId]?.shell];
    return then?.running === true && now?.running === false && now.since - then.since > LONG_MS;
  });
}
