import { describe, expect, test } from "vitest";
import { awaitsRetry, card } from "../../src/model/status.ts";
import { ago, byteCount, cwdTail, duration, lostText, paneLabel, refusalText, secondsUntil, tabDetail, tabLabel } from "../../src/model/text.ts";
import type { PaneStatus, WakePolicy } from "../../src/protocol.ts";
import { info } from "../fixtures.ts";

const NOW = 1_000_000;

function shown(status: PaneStatus, wake: WakePolicy = "any-key"): ReturnType<typeof card> {
  return card({ status, wake, node: "box-7" }, NOW);
}

describe("the card says why and what to do", () => {
  test("after an exit", () => {
    expect(shown({ state: "exited", code: 130, at: NOW - 61_000 })).toEqual({
      tone: "calm",
      title: "Disconnected",
      cause: "Exited with code 130 · 1 min ago",
      hint: "press any key to reconnect",
      clock: "",
      button: undefined,
    });
    expect(shown({ state: "exited", signal: "SIGKILL", at: NOW }).cause).toBe("Killed by SIGKILL · just now");
    expect(shown({ state: "exited", at: NOW }).cause).toBe("Ended with the gateway · just now");
  });

  test("by wake policy", () => {
    const status: PaneStatus = { state: "exited", code: 0, at: NOW };
    expect(shown(status, "enter")).toMatchObject({ hint: "press Enter to reconnect", button: undefined });
    expect(shown(status, "manual")).toMatchObject({ hint: "restarts only when asked to", button: "Restart" });
  });

  test("while it starts", () => {
    expect(shown({ state: "starting" })).toMatchObject({ tone: "busy", title: "Starting…" });
  });

  test("after a failure", () => {
    const reason = "no such shell";
    expect(shown({ state: "failed", reason, retryAt: NOW + 2500 })).toMatchObject({
      tone: "bad",
      cause: reason,
      hint: "next try possible in 3 s",
    });
    expect(shown({ state: "failed", reason, retryAt: NOW - 1 }).hint).toBe("press any key to reconnect");
    expect(shown({ state: "failed", reason })).toMatchObject({ hint: "gave up; press R to try again", button: "Try again" });
  });
});

describe("the card of a pane whose node is away", () => {
  test("says which node is lost and what wakes it", () => {
    expect(shown({ state: "lost", since: NOW - 61_000 })).toEqual({
      tone: "calm",
      title: "Node box-7 is lost",
      cause: "lost 1 min ago; its program may live on there",
      hint: "press any key to wake it",
      clock: "",
      button: undefined,
    });
  });

  test("says that it sleeps", () => {
    expect(shown({ state: "asleep", since: NOW - 7200_000 })).toMatchObject({
      tone: "calm",
      title: "Asleep",
      cause: "box-7 went to sleep 2 h ago",
      hint: "press any key to wake it",
    });
  });

  test("says why it could not be woken", () => {
    expect(shown({ state: "lost", since: NOW, reason: "exit code 7" })).toMatchObject({
      tone: "bad",
      cause: "Could not be woken: exit code 7 · lost just now; its program may live on there",
      hint: "press any key to try again",
    });
    expect(shown({ state: "asleep", since: NOW, reason: "no answer" }).cause).toMatch(/^Could not be woken: no answer · /);
  });

  test("by wake policy", () => {
    expect(shown({ state: "asleep", since: NOW }, "enter").hint).toBe("press Enter to wake it");
    expect(shown({ state: "lost", since: NOW }, "manual")).toMatchObject({ hint: "wakes only when asked to", button: "Wake" });
  });

  test("counts the seconds while it is woken", () => {
    const waking = shown({ state: "waking", attempt: 2, since: NOW - 12_900 });
    expect(waking).toMatchObject({ tone: "busy", title: "Waking box-7…", hint: "attempt 2,", clock: "12 s", button: undefined });
    // A clock that runs ahead of this one.
    expect(shown({ state: "waking", attempt: 1, since: NOW + 5000 }).clock).toBe("0 s");
  });
});

test("only a pane that gave up takes R as a command", () => {
  expect(awaitsRetry({ state: "failed", reason: "" })).toBe(true);
  expect(awaitsRetry({ state: "failed", reason: "", retryAt: 1 })).toBe(false);
  expect(awaitsRetry({ state: "live" })).toBe(false);
  expect(awaitsRetry(undefined)).toBe(false);
});

test("numbers as people read them", () => {
  expect([0, 1, 1023, 1024, 1536, 65_536, 3 << 20].map(byteCount)).toEqual([
    "0 bytes", "1 byte", "1023 bytes", "1 KiB", "1.5 KiB", "64 KiB", "3 MiB",
  ]);
  expect([0, 10, 60, 7200, 200_000].map((seconds) => ago(0, seconds * 1000))).toEqual([
    "just now", "10 s ago", "1 min ago", "2 h ago", "2 days ago",
  ]);
  expect([-1, 0, 59_999, 60_000, 754_000].map(duration)).toEqual(["0 s", "0 s", "59 s", "1 min 00 s", "12 min 34 s"]);
  expect([secondsUntil(5, 10), secondsUntil(1001, 0)]).toEqual([0, 2]);
});

test("names", () => {
  expect(paneLabel(info({ title: "vim", name: "edit" }))).toBe("edit");
  expect(paneLabel(info({ title: "vim" }))).toBe("vim");
  expect(paneLabel(undefined)).toBe("shell");
  expect(["/home/ada/code/web", "/home/ada", "/", "", null].map(cwdTail)).toEqual(["…/code/web", "/home/ada", "/", "", ""]);
});

test("what did not get through is named with its pane and its size", () => {
  const panes = { p1: info({ name: "build" }) };
  expect(lostText({ paneId: "p1", bytes: 2048, why: "full" }, panes)).toMatch(/^build: 2 KiB not taken/);
  expect(lostText({ bytes: 1, why: "cut" }, panes)).toContain("1 byte of input");
  expect(lostText({ bytes: 20, why: "closed" }, panes)).toMatch(/^20 bytes not delivered/);
  expect(refusalText({ code: "x", message: "Held input is full.", paneId: "p1", bytes: 12 }, panes)).toBe(
    "build: 12 bytes not taken. Held input is full.",
  );
  expect(refusalText({ code: "x", message: "No." }, panes)).toBe("No.");
});

test("a tab that nobody named says what its pane is about", () => {
  const cwd = "/home/ada/orbit";
  expect(tabDetail("1", info({ cwd }))).toBe("orbit");
  expect(tabDetail("1", info({ cwd, title: "vim" }))).toBe("vim");
  expect(tabDetail("1", info({ cwd, title: "vim", name: "notes" }))).toBe("notes");
  expect(tabDetail("builds", info({ cwd }))).toBe("");
  expect(tabLabel("1", info({ cwd }))).toBe("1 orbit");
  expect(tabLabel("builds", info({ cwd }))).toBe("builds");
  expect([info({ cwd: "/" }), info(), undefined].map((pane) => tabDetail("12", pane))).toEqual(["", "", ""]);
});
