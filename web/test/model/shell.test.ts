import { describe, expect, test } from "vitest";
import { gravestMark, gravestProgress, longEnds, shellMark } from "../../src/model/shell.ts";
import type { PaneInfo, ProgressState, ShellState } from "../../src/protocol.ts";
import { info } from "../fixtures.ts";

function shell(state: Partial<ShellState>): PaneInfo {
  return info({ shell: { running: false, since: 0, ...state } });
}

function progress(state: ProgressState): PaneInfo {
  return info({ progress: { state, percent: 40 } });
}

describe("the mark", () => {
  test("is that of the last command", () => {
    expect(shellMark(info())).toBeUndefined();
    expect(shellMark(shell({ exit: 0, command: "make" }))).toBeUndefined();
    expect(shellMark(shell({ running: true, exit: 2, command: "make" }))).toEqual({ state: "running", text: "Running: make" });
    expect(shellMark(shell({ exit: 2, command: "make" }))).toEqual({ state: "failed", text: "make exited with code 2" });
    expect(shellMark(shell({ exit: 1 }))?.text).toBe("The last command exited with code 1");
  });

  test("goes with the terminal", () => {
    expect(shellMark({ ...shell({ running: true }), status: { state: "exited", at: 0 } })).toBeUndefined();
  });

  test("of several panes is a failure, if there is one", () => {
    expect(gravestMark([undefined, shell({ running: true }), shell({ exit: 1 })])?.state).toBe("failed");
    expect(gravestMark([info(), shell({ running: true })])?.state).toBe("running");
    expect(gravestMark([])).toBeUndefined();
  });
});

test("the progress of several panes is that of an error, if there is one", () => {
  expect(gravestProgress([progress("indeterminate"), progress("normal"), progress("error")])?.state).toBe("error");
  expect(gravestProgress([info(), progress("indeterminate"), undefined])?.state).toBe("indeterminate");
  expect(gravestProgress([info()])).toBeUndefined();
});

test("only the end of a long command is worth a mark", () => {
  const running = { p1: shell({ running: true, since: 1000 }) };
  expect(longEnds(running, { p1: shell({ since: 11_001 }) })).toEqual(["p1"]);
  expect(longEnds(running, { p1: shell({ since: 11_000 }) })).toEqual([]);
  expect(longEnds(running, { p1: shell({ running: true, since: 99_000 }) })).toEqual([]);
  expect(longEnds({}, { p1: shell({ since: 99_000 }) })).toEqual([]);
  expect(longEnds(running, {})).toEqual([]);
});
