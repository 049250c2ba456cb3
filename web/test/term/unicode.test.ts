import { expect, test } from "vitest";
import { ModelWidths } from "../../src/term/unicode.ts";
import { WIDE, ZERO } from "../../src/term/widths.ts";

const CODE_POINTS = 0x110000;

/** Each code point's width as the tables say, read in the plainest way. */
function widths(): Uint8Array {
  const all = new Uint8Array(CODE_POINTS).fill(1);
  for (const [table, width] of [[ZERO, 0], [WIDE, 2]] as const) {
    let at = 0;
    let belongs = false;
    for (const digits of table.split(",")) {
      for (let left = parseInt(digits, 36); left > 0; left -= 1) {
        if (belongs) all[at] = width;
        at += 1;
      }
      belongs = !belongs;
    }
  }
  return all;
}

test("every code point has the width of the tables", () => {
  const provider = new ModelWidths();
  const expected = widths();
  const differing: number[] = [];
  for (let codePoint = 0; codePoint < CODE_POINTS; codePoint += 1) {
    if (provider.wcwidth(codePoint) !== expected[codePoint]) differing.push(codePoint);
  }
  expect(differing).toEqual([]);
});

test("the tables know the obvious", () => {
  const width = (character: string): number => new ModelWidths().wcwidth(character.codePointAt(0) ?? 0);
  expect(["a", "é", "─", "日", "🎉", "\u0301", "\u200d", "\u0007", "\u{e0100}", "\u{20000}"].map(width)).toEqual([
    1, 1, 1, 2, 2, 0, 0, 0, 0, 2,
  ]);
});

test("marks join the character before them, and nothing else", () => {
  const provider = new ModelWidths();
  const [accent, narrow, wide] = [0x301, 0x61, 0x65e5];
  const after = (codePoint: number, before: number): [number, boolean] => {
    const properties = provider.charProperties(codePoint, before);
    return [(properties >> 1) & 3, (properties & 1) === 1];
  };
  expect(after(narrow, 0)).toEqual([1, false]);
  expect(after(accent, 0)).toEqual([0, false]);
  expect(after(accent, provider.charProperties(narrow, 0))).toEqual([1, true]);
  expect(after(accent, provider.charProperties(wide, 0))).toEqual([2, true]);
  const accented = provider.charProperties(accent, provider.charProperties(wide, 0));
  expect(after(accent, accented)).toEqual([2, true]);
  expect(after(narrow, accented)).toEqual([1, false]);
});
