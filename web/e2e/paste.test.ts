// Much input at once.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { test } from "./support/stage.ts";

/** Lines of many lengths and scripts, 200 KB of them. */
function manyLines(): string {
  let text = "";
  for (let line = 0; text.length < 200_000; line += 1) text += `${line} ${"é✓x".repeat(line % 23)} ${"=".repeat(line % 61)}\n`;
  return text;
}

test("a large paste arrives byte by byte", async ({ gateway, open }) => {
  const viewer = await open();
  await viewer.sees(/^ready\$/);
  await viewer.run("stty -echo; echo on-$((1+1)); cat > pasted; echo got-$(wc -c < pasted)");
  await viewer.sees(/^on-2$/m);
  const text = manyLines();
  await viewer.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: gateway.origin });
  await viewer.page.evaluate((clip) => navigator.clipboard.writeText(clip), text);
  await viewer.press("Control+Shift+V");
  await viewer.press("Control+D");
  await viewer.sees(/^got-\d+$/m);
  expect(readFileSync(join(gateway.home, "pasted"), "utf8")).toBe(text);
});

test("an interrupt key goes past a paste that nobody reads", async ({ gateway, open }) => {
  const viewer = await open();
  await viewer.sees(/^ready\$/);
  await viewer.run("sleep 1000");
  await viewer.sees(/sleep 1000/);
  await viewer.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: gateway.origin });
  await viewer.page.evaluate((clip) => navigator.clipboard.writeText(clip), "a line of many\n".repeat(60_000));
  await viewer.press("Control+Shift+V");
  await expect.poll(() => viewer.page.locator(".pill").textContent()).toMatch(/sending/);
  await viewer.press("Control+C");
  await expect.poll(async () => (await viewer.toasts()).join("\n")).toMatch(/not sent: you interrupted/);
  await viewer.run("clear; echo free-$((1+1))");
  await viewer.sees(/^free-2\nready\$$/m);
});
