// Late pages see what early ones see.

import { expect } from "vitest";
import { test } from "./support/stage.ts";
import type { Viewer } from "./support/viewer.ts";

/** A screen with everything that cells can have. */
const PICTURE = [
  "printf '\\e[2J\\e[H\\e[1;31mbold red\\e[0m \\e[4;38;5;208mline\\e[0m \\e[48;2;20;60;120mdeep\\e[0m \\e[7mback\\e[0m\\n",
  "日本語 e\\u0301 🎉 \\e[3;9mslant\\e[0m\\e[10;20Hfar\\e[5;60H\\e[42mgreen\\e[0m\\e[12;1H'",
].join("");

/** Waits until two pages' panes look the same, with all colours. */
async function lookTheSame(one: Viewer, other: Viewer): Promise<void> {
  // Both may still change.
  await expect
    .poll(async () => {
      const [early, late] = [await one.look(), await other.look()];
      return late.join("\n") === early.join("\n") ? "the same" : { early, late };
    })
    .toBe("the same");
}

test("a late page looks as an early one", async ({ open }) => {
  const early = await open();
  await early.sees(/^ready\$/);
  await early.run(`clear; ${PICTURE}`);
  await early.sees(/far/);
  const late = await open();
  await late.sees(/far/);
  await lookTheSame(early, late);
  expect((await late.look()).join("\n")).toMatch(/bold red/);
});

test("reversed text has the background's colour", async ({ open }) => {
  const viewer = await open();
  await viewer.sees(/^ready\$/);
  await viewer.run("clear; printf '\\e[7mreversed\\e[0m\\n'");
  const colour = (): Promise<string> =>
    viewer.page.locator(".xterm-rows span", { hasText: "reversed" }).first().evaluate((span) => getComputedStyle(span).color);
  await viewer.sees(/^reversed$/m);
  await expect.poll(colour).toBe("rgb(18, 21, 28)");
});

test("a late page of a program on the other screen looks as an early one, and after it too", async ({ open }) => {
  const early = await open();
  await early.sees(/^ready\$/);
  await early.run(`echo before; printf '\\e[?1049h'; ${PICTURE}; read -r; printf '\\e[?1049l'`);
  await early.sees(/far/);
  const late = await open();
  await late.sees(/far/);
  await lookTheSame(early, late);
  await early.press("Enter");
  await early.sees(/^before$/m);
  await late.sees(/^before$/m);
  await lookTheSame(early, late);
});

test("what is above the screen comes when somebody looks up", async ({ open }) => {
  const early = await open();
  await early.sees(/^ready\$/);
  await early.run("clear; seq 1 3000");
  await early.sees(/^3000\nready\$$/m);
  const late = await open();
  await late.sees(/^3000\nready\$$/m);
  // One turn of the wheel is enough, whether or not the rows are there already.
  await late.wheel(-1);
  await expect.poll(async () => (await late.pane()).text).toMatch(/^2\d{3}\n(?![^]*\n3000(\n|$))/);
  await expect
    .poll(async () => {
      for (let page = 0; page < 10; page += 1) await late.press("Shift+PageUp");
      return (await late.pane()).text;
    })
    .toMatch(/^1\n2\n3$/m);
  await late.run("");
  await late.sees(/^3000\nready\$/m);
});

test("what is above the screen is found", async ({ open }) => {
  const early = await open();
  await early.sees(/^ready\$/);
  await early.run("clear; echo needle; seq 1 3000");
  await early.sees(/^3000\nready\$$/m);
  const late = await open();
  await late.sees(/^3000\nready\$$/m);
  await late.press("Control+Shift+F");
  await late.page.keyboard.type("needle");
  await late.sees(/^needle\n1\n2$/m);
});

test("two pages look the same after every change of the size", async ({ open }) => {
  const one = await open({ window: { width: 1200, height: 700 } });
  await one.sees(/^ready\$/);
  const other = await open({ window: { width: 1200, height: 700 } });
  await one.run("clear; for i in $(seq 1 30); do printf \"\\e[3$((i % 8))m%0$((i * 9))d\\e[0m\\n\" $i; done");
  await one.sees(/30\nready\$/);
  for (const width of [900, 640, 1100]) {
    await one.page.setViewportSize({ width, height: 600 });
    await other.page.setViewportSize({ width, height: 600 });
    await one.run("echo $COLUMNS");
    await other.sees(/^\d+\nready\$$/m);
    await lookTheSame(one, other);
  }
});

test("a page that is loaded anew while a program prints misses nothing", async ({ open }) => {
  const one = await open();
  const other = await open();
  await one.sees(/^ready\$/);
  await one.run("clear; for i in $(seq 1 300); do echo n$i; sleep 0.01; done; echo end-$((1+1))");
  for (let round = 0; round < 3; round += 1) {
    await other.page.reload();
    await other.sees(/^n\d+$/m);
  }
  await other.sees(/^n299\nn300\nend-2\nready\$$/m);
  await one.sees(/^end-2\nready\$$/m);
  await lookTheSame(one, other);
});

test("keys typed while the gateway goes away and comes back arrive at most once, and those of the meantime do", async ({
  gateway,
  open,
}) => {
  const viewer = await open({ expected: /WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/ });
  await viewer.sees(/^ready\$/);
  await viewer.run("echo first-$((1+1))");
  await viewer.sees(/^first-2$/m);
  await gateway.saved("first-2");
  await gateway.kill();
  await viewer.page.locator(".pill.down").waitFor();
  for (let line = 1; line <= 5; line += 1) await viewer.run(`echo line-$((${line}*11))`);
  await gateway.start();
  await viewer.sees(/^line-55$/m);
  // A change of size may be redrawing it just now.
  const lines = async () => (await viewer.pane()).text.match(/^(line-\d+|first-2)$/gm);
  await expect.poll(lines).toEqual(["first-2", "line-11", "line-22", "line-33", "line-44", "line-55"]);
});

test("a notification is shown once, and not again by a page that comes later", async ({ open }) => {
  const one = await open();
  const other = await open();
  await one.sees(/^ready\$/);
  await one.run("printf '\\e]777;notify;Build;all is %s\\a' well");
  for (const viewer of [one, other]) await expect.poll(() => viewer.toasts()).toEqual(["Build\nall is well"]);
  await other.page.reload();
  await other.sees(/^ready\$/m);
  await one.run("echo later-$((1+1))");
  await other.sees(/^later-2$/m);
  expect(await other.toasts()).toEqual([]);
});

test("a tab tells of its command and its progress", async ({ open }) => {
  const viewer = await open();
  await viewer.sees(/^ready\$/);
  const mark = (): Promise<string | null> => viewer.page.locator(".tab").getAttribute("data-shell");
  await viewer.run("printf '\\e]133;C\\a\\e]9;4;1;40\\a'; read -r; printf '\\e]133;D;3\\a\\e]9;4;0\\a'");
  await expect.poll(mark).toBe("running");
  for (const place of [".tab", ".pane-bar"]) {
    const fill = viewer.page.locator(`${place} .progress-fill`);
    await expect.poll(() => fill.getAttribute("style")).toBe("width: 40%;");
  }
  await viewer.press("Enter");
  await expect.poll(mark).toBe("failed");
  expect(await viewer.page.locator(".pane .dot").getAttribute("title")).toContain("exited with code 3");
  expect(await viewer.page.locator(".tab .progress").isVisible()).toBe(false);
});
