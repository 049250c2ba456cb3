import { describe, expect, test } from "vitest";
import { arrange, dragged, paneAt, panesOf, ratiosAt, withRatios } from "../../src/model/tree.ts";
import { column, pane, row } from "../fixtures.ts";

const TREE = row([0.5, 0.5], pane("a"), column([0.25, 0.75], pane("b"), pane("c")));
const AREA = { left: 0, top: 0, width: 1006, height: 806 };

test("panes are listed left to right, top to bottom", () => {
  expect(panesOf(TREE)).toEqual(["a", "b", "c"]);
});

test.each([
  [[], "a"],
  [[0], "a"],
  [[1], "b"],
  [[1, 1], "c"],
  [[7, 7], "a"],
])("the path %j leads to %s", (path, expected) => expect(paneAt(TREE, path)).toBe(expected));

describe("arrange", () => {
  test("shares the room by the ratios, with gaps between", () => {
    const { panes, dividers } = arrange(TREE, AREA, 6);
    expect(Object.fromEntries(panes)).toEqual({
      a: { left: 0, top: 0, width: 500, height: 806 },
      b: { left: 506, top: 0, width: 500, height: 200 },
      c: { left: 506, top: 206, width: 500, height: 600 },
    });
    expect(dividers).toEqual([
      { path: [], index: 0, orientation: "vertical", rect: { left: 500, top: 0, width: 6, height: 806 }, extent: 1000 },
      { path: [1], index: 0, orientation: "horizontal", rect: { left: 506, top: 200, width: 500, height: 6 }, extent: 800 },
    ]);
  });

  test("fills odd sizes to the last pixel, in whole pixels", () => {
    const thirds = row([1 / 3, 1 / 3, 1 / 3], pane("a"), pane("b"), pane("c"));
    for (let width = 0; width < 200; width += 7) {
      const rects = [...arrange(thirds, { ...AREA, width }, 5).panes.values()];
      const sum = rects.reduce((total, rect) => total + rect.width, 0);
      expect(sum).toBe(Math.max(0, width - 10));
      expect(rects.every((rect) => Number.isInteger(rect.left) && Number.isInteger(rect.width))).toBe(true);
    }
  });
});

describe("ratios", () => {
  test("are read and replaced at a path", () => {
    expect(ratiosAt(TREE, [1])).toEqual([0.25, 0.75]);
    const changed = withRatios(TREE, [1], [0.6, 0.4]);
    expect(ratiosAt(changed, [1])).toEqual([0.6, 0.4]);
    expect(ratiosAt(changed, [])).toEqual([0.5, 0.5]);
  });

  test("of a stack that is not there, or has other children, stay", () => {
    expect(ratiosAt(TREE, [0])).toBeUndefined();
    expect(withRatios(TREE, [0], [0.6, 0.4])).toEqual(TREE);
    expect(withRatios(TREE, [], [1])).toEqual(TREE);
  });
});

describe("dragged", () => {
  test("moves one edge and keeps the sum", () => {
    expect(dragged([0.5, 0.25, 0.25], 0, 0.125, 0.1)).toEqual([0.625, 0.125, 0.25]);
  });

  test("stops where a child would get too small", () => {
    expect(dragged([0.5, 0.5], 0, 0.9, 0.25)).toEqual([0.75, 0.25]);
    expect(dragged([0.5, 0.5], 0, -0.9, 0.25)).toEqual([0.25, 0.75]);
  });

  test("a child that is too small already only grows", () => {
    expect(dragged([0.125, 0.875], 0, -0.1, 0.25)).toEqual([0.125, 0.875]);
    expect(dragged([0.125, 0.875], 0, 0.125, 0.25)).toEqual([0.25, 0.75]);
  });
});
