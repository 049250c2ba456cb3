import { describe, expect, test } from "vitest";
import { Attention } from "../../src/model/attention.ts";
import { fuzzyFilter } from "../../src/model/fuzzy.ts";
import { Recent } from "../../src/model/recent.ts";
import { parseSettings } from "../../src/model/settings.ts";
import { dropIndex } from "../../src/model/taborder.ts";

describe("attention", () => {
  test("the gravest reason wins, until somebody looks", () => {
    const attention = new Attention();
    attention.mark("p1", "bell");
    attention.mark("p2", "death");
    attention.mark("p2", "bell");
    attention.mark("p1", "done");
    expect(attention.among(["p1", "p2"])).toBe("death");
    expect(attention.among(["p1", "p3"])).toBe("bell");
    expect(attention.count).toBe(2);
    attention.seen(["p2"]);
    attention.retain(() => false);
    expect(attention.count).toBe(0);
    expect(attention.among(["p1", "p2"])).toBeUndefined();
  });
});

test("the least recently used ones are beyond the limit", () => {
  const recent = new Recent();
  recent.touch(["a", "b", "c"]);
  recent.touch(["a"]);
  expect(recent.beyond(2)).toEqual(["b"]);
  expect(recent.beyond(3)).toEqual([]);
  recent.remove("b");
  expect(recent.beyond(1)).toEqual(["c"]);
});

test.each([
  ["a", "c", true, 2],
  ["a", "b", true, 1],
  ["a", "b", false, undefined],
  ["a", "a", true, undefined],
  ["c", "a", false, 0],
  ["c", "a", true, 1],
  ["b", "c", false, undefined],
])("tab %s dropped at %s (after: %s) gets index %s", (moved, target, after, index) => {
  expect(dropIndex(["a", "b", "c"], moved, target, after)).toBe(index);
});

test("the palette finds letters in order, words first", () => {
  const items = ["Close pane", "Split right", "Copy selection", "Larger text"];
  const find = (query: string): string[] => fuzzyFilter(query, items, (item) => item);
  expect(find("sr")[0]).toBe("Split right");
  expect(find("cp")[0]).toBe("Close pane");
  expect(find("xyz")).toEqual([]);
  expect(find("")).toEqual(items);
});

test("settings that make no sense get their defaults", () => {
  const usual = { theme: "auto", fontSize: 13, notify: false };
  for (const json of [null, "", "{", "null", "7", '{"theme":"pink","fontSize":"big"}']) {
    expect(parseSettings(json)).toEqual(usual);
  }
  expect(parseSettings('{"theme":"light","fontSize":99}')).toEqual({ theme: "light", fontSize: 32, notify: false });
  expect(parseSettings('{"notify":true}').notify).toBe(true);
});
