import { describe, expect, test } from "vitest";
import { deaths, EMPTY, focusedPane, type Model, neighbourTab, reduce, visiblePanes } from "../../src/model/model.ts";
import type { Session } from "../../src/protocol.ts";
import { column, info, layout, pane, row, tab } from "../fixtures.ts";

const SESSION: Session = { id: "s1", sandboxId: "local", name: "work", createdAt: 0 };

function state(...args: Parameters<typeof layout>): Model {
  return reduce(EMPTY, { type: "state", sessions: [SESSION], ...layout(...args) });
}

describe("reduce", () => {
  test("a state replaces everything, an update keeps the sessions", () => {
    const model = reduce(state(1, ["t1", "t2"]), { type: "layout_update", ...layout(2, ["t1"]) });
    expect(model.sessions).toEqual([SESSION]);
    expect(model.tabs.map(({ id }) => id)).toEqual(["t1"]);
    expect(Object.keys(model.panes)).toEqual(["p1"]);
    expect(model.revision).toBe(2);
  });

  test("an update that was overtaken changes nothing", () => {
    const model = state(5, ["t1", "t2"]);
    expect(reduce(model, { type: "layout_update", ...layout(4, ["t1"]) })).toBe(model);
  });

  test("a state counts whatever its revision: the gateway may be a new one", () => {
    const model = reduce(state(5, ["t1"]), { type: "state", sessions: [], ...layout(1, []) });
    expect(model).toMatchObject({ revision: 1, tabs: [], sessions: [] });
  });

  test("an update without details keeps what is known of open panes", () => {
    const before = state(1, ["t1", "t2"], { panes: { p1: info({ title: "vim" }), p2: info() } });
    const { panes: _, ...update } = layout(2, ["t1"]);
    const model = reduce(before, { type: "layout_update", ...update });
    expect(model.panes).toEqual({ p1: info({ title: "vim" }) });
  });

  test("a pane's update touches only it, and closed panes are ignored", () => {
    const model = reduce(state(1, ["t1", "t2"]), {
      type: "pane_update",
      panes: { p2: info({ pending: 3 }), p9: info() },
    });
    expect(Object.keys(model.panes)).toEqual(["p1", "p2"]);
    expect(model.panes["p2"]?.pending).toBe(3);
  });

  test("other messages leave it alone", () => {
    const model = state(1, ["t1"]);
    expect(reduce(model, { type: "pong" })).toBe(model);
  });
});

describe("what is shown", () => {
  const root = row([0.5, 0.5], pane("a"), column([0.5, 0.5], pane("b"), pane("c")));

  test("all panes of the tab, or the zoomed one", () => {
    const model = { ...EMPTY, tabs: [tab("t1", root)], activeTab: "t1" };
    expect(visiblePanes(model)).toEqual(["a", "b", "c"]);
    expect(visiblePanes({ ...model, tabs: [tab("t1", root, { zoomed: "b" })] })).toEqual(["b"]);
    expect(visiblePanes({ ...model, activeTab: null })).toEqual([]);
  });

  test("the focus is a path, and a zoomed pane has it", () => {
    expect(focusedPane(tab("t1", root, { focus: [1, 1] }))).toBe("c");
    expect(focusedPane(tab("t1", root, { focus: [0], zoomed: "b" }))).toBe("b");
    expect(focusedPane(undefined)).toBeUndefined();
  });
});

test("deaths are panes that were connected and are not", () => {
  const before = state(1, ["t1", "t2", "t3"], { connected: { p1: true, p2: false, p3: true } });
  const after = state(2, ["t1", "t2"], { connected: { p1: false, p2: false } });
  expect(deaths(before, after)).toEqual(["p1"]);
  expect(deaths(after, before)).toEqual([]);
});

test("the next tab goes round, within the session", () => {
  const other = tab("t9", pane("p9"), { sessionId: "s2" });
  const model = state(1, ["t1", "t2", "t3"]);
  const withOther = { ...model, tabs: [...model.tabs, other], sessions: [SESSION, { ...SESSION, id: "s2" }] };
  expect(neighbourTab(withOther, -1)?.id).toBe("t3");
  expect(neighbourTab(withOther, 1)?.id).toBe("t2");
  expect(neighbourTab({ ...withOther, activeTab: "t9" }, 1)?.id).toBe("t9");
});
