// How many cells the whole page has room for, before there is a terminal that could be asked.

import type { Cells } from "../net/frame.ts";
import { cellStyle, rowHeight } from "../term/paneterminal.ts";
import { el } from "./dom.ts";

/** How many letters are measured together, since browsers round widths. */
const SAMPLE = 50;

/** The room in cells of the terminals' text in this size. */
export function viewportCells(room: { width: number; height: number }, fontSize: number): Cells {
  const probe = el("span", { class: "offscreen", text: "W".repeat(SAMPLE) });
  Object.assign(probe.style, cellStyle(fontSize));
  document.body.append(probe);
  const { width, height } = probe.getBoundingClientRect();
  probe.remove();
  return {
    cols: Math.max(1, Math.floor((room.width / width) * SAMPLE)),
    rows: Math.max(1, Math.floor(room.height / rowHeight(height))),
  };
}
