// Viewers side by side: one layout, one screen, one size.

import { expect } from "vitest";
import { test } from "./support/stage.ts";
import type { Viewer } from "./support/viewer.ts";

/** The share of the window's width that the first pane has. */
async function firstShare(viewer: Viewer): Promise<number> {
  const [first, second] = await viewer.panes();
  return first && second ? first.box.width / (first.box.width + second.box.width) : Number.NaN;
}

/** Waits until two viewers' panes show the same text. */
async function seeTheSame(one: Viewer, other: Viewer): Promise<void> {
  const isSame = async (): Promise<boolean> => (await one.pane()).text === (await other.pane()).text;
  await expect.poll(isSame).toBe(true);
}

async function tabNames(viewer: Viewer): Promise<string[]> {
  return viewer.page.locator(".tab-label:visible").allTextContents();
}

async function focusedIndex(viewer: Viewer): Promise<number> {
  return (await viewer.panes()).findIndex((pane) => pane.focused);
}

test("two viewers see the same output, tabs and focus", async ({ open }) => {
  const one = await open();
  await one.sees(/^ready\$/);
  const other = await open();
  await one.run("echo from-$((1+0))");
  await other.sees(/^from-1$/m);
  await other.run("echo from-$((1+1))");
  await one.sees(/^from-2$/m);
  await seeTheSame(one, other);

  await one.press("Control+Shift+Enter");
  await expect.poll(() => tabNames(other)).toHaveLength(2);
  await expect.poll(async () => (await other.pane()).text).toMatch(/^ready\$$/);
  await other.page.locator(".tab").first().click();
  await one.sees(/^from-2$/m);

  await one.press("Control+Shift+E");
  await other.seesPanes(2);
  await expect.poll(() => focusedIndex(other)).toBe(1);
  await other.click(0);
  await expect.poll(() => focusedIndex(one)).toBe(0);
});

test("panes are split, resized and zoomed for every viewer", async ({ open }) => {
  const one = await open();
  const other = await open();
  await one.sees(/^ready\$/);

  await one.press("Control+Shift+E");
  await other.seesPanes(2);
  await expect.poll(() => firstShare(other)).toBeCloseTo(0.5, 1);
  const box = await one.page.locator(".divider").boundingBox();
  if (!box) throw new Error("there is no divider");
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await one.page.mouse.move(x, y);
  await one.page.mouse.down();
  await one.page.mouse.move(x - 300, y, { steps: 6 });
  await one.page.mouse.up();
  await expect.poll(() => firstShare(other)).toBeCloseTo(0.25, 1);
  // Each step of the mouse is told.
  await expect.poll(async () => (await firstShare(one)) - (await firstShare(other))).toBeCloseTo(0, 2);

  await one.click(1);
  await one.page.locator(".pane:visible").nth(1).getByLabel("Split down").click();
  await other.seesPanes(3);
  await one.press("Control+Shift+Z");
  await other.seesPanes(1);
  expect((await other.pane()).title).toContain("zoomed");
  await other.press("Control+Shift+Z");
  await one.seesPanes(3);
});

test("a tab's name is set in its place", async ({ open }) => {
  const one = await open();
  const other = await open();
  await one.sees(/^ready\$/);
  await one.page.locator(".tab").dblclick();
  await one.run("builds");
  await expect.poll(() => tabNames(other)).toEqual(["builds"]);
  await one.run("echo $((40+2))");
  await one.sees(/^42$/m);
});

test("closing a pane in which something runs asks first", async ({ gateway, open }) => {
  const viewer = await open();
  await viewer.sees(/^ready\$/);
  await viewer.press("Control+Shift+E");
  await viewer.sees(/^ready\$/, 1);
  await viewer.run("sleep 100");
  await viewer.sees(/sleep 100/, 1);

  const dialog = viewer.page.getByRole("dialog");
  await viewer.press("Control+Shift+X");
  await dialog.getByText("Cancel").click();
  await dialog.waitFor({ state: "detached" });
  expect(await viewer.panes()).toHaveLength(2);
  await viewer.press("Control+Shift+X");
  await dialog.getByRole("button", { name: "Close pane" }).click();
  await viewer.seesPanes(1);
  await expect.poll(() => gateway.programs()).toHaveLength(1);

  // Nothing runs in the other one, so nobody is asked.
  await viewer.press("Control+Shift+X");
  await viewer.seesPanes(0);
  await viewer.page.getByRole("button", { name: "New session" }).click();
  await viewer.sees(/^ready\$/);
});

test("a command right after a click is meant for the pane clicked at", async ({ open }) => {
  const viewer = await open();
  await viewer.sees(/^ready\$/);
  await viewer.press("Control+Shift+E");
  await viewer.sees(/^ready\$/, 1);
  await viewer.run("echo second-$((1+1))");
  await viewer.sees(/^second-2$/m, 1);
  await viewer.click(0);
  await viewer.press("Control+Shift+X");
  await viewer.seesPanes(1);
  await viewer.sees(/^second-2$/m);
});

test("who types decides the size, and other windows show all of it", async ({ open }) => {
  const large = await open({ window: { width: 1500, height: 900 } });
  await large.sees(/^ready\$/);
  const small = await open({ window: { width: 640, height: 420 } });
  const sizeSeenBy = async (viewer: Viewer, name: string): Promise<number[]> => {
    await viewer.run(`echo ${name} $(stty size)`);
    return (await viewer.reads(new RegExp(`^${name} (\\d+) (\\d+)$`, "m"))).map(Number);
  };

  // The size follows the first key, so the line after it is the first to go by it.
  await large.run("");
  await expect.poll(async () => (await small.pane()).letterboxed).toBe(true);
  const [rows = 0, cols = 0] = await sizeSeenBy(large, "large");
  expect((await large.pane()).letterboxed).toBe(false);
  await large.run(`printf '%${cols}s\\n' right-edge`);
  await small.sees(/^ +right-edge$/m);
  await seeTheSame(large, small);

  await small.run("");
  await expect.poll(async () => (await large.pane()).letterboxed).toBe(true);
  const [fewerRows = 0, fewerCols = 0] = await sizeSeenBy(small, "small");
  expect((await small.pane()).letterboxed).toBe(false);
  expect(fewerRows).toBeLessThan(rows);
  expect(fewerCols).toBeLessThan(cols);
});
