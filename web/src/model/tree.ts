// Geometry of a tab's split tree: where its panes and dividers lie.

import type { LayoutTree, StackOrientation } from "../protocol.ts";

/** A rectangle in CSS pixels. */
export interface Rect {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The gap between two children of a stack, by which they are resized. */
export interface Divider {
  /** Child indices from the root to the stack. */
  path: number[];
  /** It lies after this child. */
  index: number;
  /** The stack's orientation; `vertical` dividers move left and right. */
  orientation: StackOrientation;
  /** Where it lies. */
  rect: Rect;
  /** How many pixels the stack's children share among them. */
  extent: number;
}

/** Where everything in a tab lies. */
export interface Arrangement {
  /** Each pane's place. */
  panes: Map<string, Rect>;
  /** All dividers. */
  dividers: Divider[];
}

/** The panes of a tree, left to right and top to bottom. */
export function panesOf(tree: LayoutTree): string[] {
  return tree.tag === "window" ? [tree.key] : tree.children.flatMap(panesOf);
}

/** The pane that a path leads to; where the path ends early, the first one below. */
export function paneAt(tree: LayoutTree, path: readonly number[]): string | undefined {
  if (tree.tag === "window") return tree.key;
  const [index = 0, ...rest] = path;
  const child = tree.children[index] ?? tree.children[0];
  return child && paneAt(child, rest);
}

/** Lays a tree out in an area, with `gap` pixels between panes. Edges are whole pixels, so that text is sharp. */
export function arrange(tree: LayoutTree, area: Rect, gap: number): Arrangement {
  const arrangement: Arrangement = { panes: new Map(), dividers: [] };
  place(tree, area, gap, [], arrangement);
  return arrangement;
}

function place(tree: LayoutTree, area: Rect, gap: number, path: number[], into: Arrangement): void {
  if (tree.tag === "window") {
    into.panes.set(tree.key, area);
    return;
  }
  const across = tree.orientation === "vertical";
  const extent = Math.max(0, (across ? area.width : area.height) - gap * (tree.children.length - 1));
  let before = 0;
  tree.children.forEach((child, index) => {
    const after = before + (tree.ratios[index] ?? 0);
    const start = Math.round(extent * before) + index * gap;
    const length = Math.round(extent * after) + index * gap - start;
    place(child, slice(area, across, start, length), gap, [...path, index], into);
    if (index < tree.children.length - 1) {
      const rect = slice(area, across, start + length, gap);
      into.dividers.push({ path, index, orientation: tree.orientation, rect, extent });
    }
    before = after;
  });
}

function slice(area: Rect, across: boolean, start: number, length: number): Rect {
  return across
    ? { ...area, left: area.left + start, width: length }
    : { ...area, top: area.top + start, height: length };
}

/** The tree with other ratios in the stack at `path`; the same tree if there is no such stack. */
export function withRatios(tree: LayoutTree, path: readonly number[], ratios: number[]): LayoutTree {
  if (tree.tag === "window") return tree;
  const [index, ...rest] = path;
  if (index === undefined) return tree.children.length === ratios.length ? { ...tree, ratios } : tree;
  return { ...tree, children: tree.children.map((child, at) => (at === index ? withRatios(child, rest, ratios) : child)) };
}

/** The ratios of the stack at `path`. */
export function ratiosAt(tree: LayoutTree, path: readonly number[]): number[] | undefined {
  if (tree.tag === "window") return undefined;
  const [index, ...rest] = path;
  if (index === undefined) return tree.ratios;
  const child = tree.children[index];
  return child && ratiosAt(child, rest);
}

/** Moves the edge after child `index` by `delta` of the stack; no child gets smaller than `least` by it. */
export function dragged(ratios: readonly number[], index: number, delta: number, least: number): number[] {
  const before = ratios[index] ?? 0;
  const after = ratios[index + 1] ?? 0;
  const low = Math.min(0, least - before);
  const high = Math.max(0, after - least);
  const step = Math.min(Math.max(delta, low), high);
  return ratios.map((ratio, at) => (at === index ? before + step : at === index + 1 ? after - step : ratio));
}
