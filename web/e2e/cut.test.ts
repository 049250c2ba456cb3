// Connections that break while the gateway lives.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { test } from "./support/far.ts";
import type { Gateway } from "./support/gateway.ts";
import { countLines } from "./support/viewer.ts";

/** What a file in the shells' home says; empty while there is none. */
function said(gateway: Gateway, file: string): string {
  try {
    return readFileSync(join(gateway.home, file), "utf8");
  } catch {
    return "";
  }
}

test("what is typed while the connection is cut arrives once and in order", async ({ proxy, far }) => {
  proxy.cut();
  const pill = far.page.locator(".pill.down");
  await pill.waitFor();
  await expect.poll(() => pill.textContent()).toMatch(/reconnecting/);
  for (let line = 1; line <= 5; line += 1) await far.run(`echo line-$((${line}*11))`);
  await expect.poll(() => pill.textContent()).toMatch(/bytes kept/);
  proxy.mend();
  await far.sees(/^line-55$/m);
  // Scrollback that is fetched ahead may be taking the screen's place just now.
  const lines = async () => (await far.pane()).text.match(/^line-\d+$/gm);
  await expect.poll(lines).toEqual(["line-11", "line-22", "line-33", "line-44", "line-55"]);
  await expect.poll(() => far.page.locator(".pill.shown").count()).toBe(0);
  expect(await far.toasts()).toEqual([]);
});

test("what the gateway took before the cut is not typed again", async ({ gateway, proxy, far }) => {
  proxy.mute();
  await far.run("echo took >> taken; echo seen-$((1+1))");
  await expect.poll(() => said(gateway, "taken")).toBe("took\n");
  proxy.cut();
  await far.run("echo later >> taken");
  proxy.mend();
  await far.sees(/^seen-2$/m);
  await expect.poll(() => said(gateway, "taken")).toBe("took\nlater\n");
  await expect.poll(async () => countLines((await far.pane()).text, "seen-2")).toBe(1);
});

test("a paste goes on over cut connections", async ({ gateway, proxy, far }) => {
  await far.run("stty -echo; echo on-$((1+1)); cat > pasted; echo got-$(wc -c < pasted)");
  await far.sees(/^on-2$/m);
  const text = Array.from({ length: 20_000 }, (_, line) => `line ${line} of many\n`).join("");
  await far.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: proxy.origin });
  await far.page.evaluate((clip) => navigator.clipboard.writeText(clip), text);
  await far.press("Control+Shift+V");
  for (let cut = 1; cut <= 3; cut += 1) {
    await expect.poll(() => said(gateway, "pasted").length).toBeGreaterThan(cut * 80_000);
    proxy.cut();
    proxy.mend();
  }
  await far.press("Control+D");
  await far.sees(/^got-\d+$/m);
  expect(said(gateway, "pasted")).toBe(text);
});
