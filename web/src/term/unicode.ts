// How many cells a character takes: what the gateway's model of the screen says, or else the two would drift apart.

import type { IUnicodeVersionProvider } from "@xterm/xterm";
import { WIDE, ZERO } from "./widths.ts";

/** A number of cells. */
type Width = 0 | 1 | 2;

/** How many code points have their width in an array; almost all text is there. */
const PLANE = 0x10000;

/** Joins the cell before; the lowest bit of xterm.js' character properties, the width is in the next two. */
const JOIN = 1;

/** Measures characters for xterm.js. */
export class ModelWidths implements IUnicodeVersionProvider {
  readonly version = "model";
  #near = new Uint8Array(PLANE).fill(1);
  #zero = ranges(ZERO);
  #wide = ranges(WIDE);

  constructor() {
    for (const [table, width] of [[this.#zero, 0], [this.#wide, 2]] as const) {
      for (let at = 0; at < table.length && (table[at] ?? PLANE) < PLANE; at += 2) {
        this.#near.fill(width, table[at], table[at + 1]);
      }
    }
  }

  /** The cells that a code point takes. */
  wcwidth(codePoint: number): Width {
    if (codePoint < PLANE) return this.#near[codePoint] as Width;
    if (isIn(this.#zero, codePoint)) return 0;
    return isIn(this.#wide, codePoint) ? 2 : 1;
  }

  /** The properties of a code point after one with the properties `before`, 0: after none. */
  charProperties(codePoint: number, before: number): number {
    const width = this.wcwidth(codePoint);
    const widthBefore = (before >> 1) & 3;
    // A mark without a character to stand on stays alone; on one, both take the room that this one has.
    if (width === 0 && widthBefore > 0) return (widthBefore << 1) | JOIN;
    return width << 1;
  }
}

/** The ranges of a table in order: the first code point of each, and the first after it. */
function ranges(table: string): number[] {
  let at = 0;
  return table.split(",").map((digits) => (at += parseInt(digits, 36)));
}

/** Whether the number of bounds up to the code point is odd. */
function isIn(bounds: number[], codePoint: number): boolean {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bounds[middle] ?? 0) <= codePoint) low = middle + 1;
    else high = middle;
  }
  return low % 2 === 1;
}
