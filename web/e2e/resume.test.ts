// What a page that comes back is sent.

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { test } from "./support/far.ts";

test("a page that comes back is sent what it missed and no screen, and programs are told no size", async ({ gateway, proxy, far }) => {
  const { wire } = far;
  // The scrollback that is fetched ahead is a screen, too.
  await expect.poll(() => wire.newest?.received.filter(({ type }) => type === "watching")).toHaveLength(2);
  await far.run("trap 'echo resized' WINCH; echo on-$((1+1)); until [ -e go ]; do sleep 0.02; done; echo missed-$((1+1)); touch said");
  await far.sees(/^on-2$/m);
  proxy.cut();
  await far.page.locator(".pill.down").waitFor();
  writeFileSync(join(gateway.home, "go"), "");
  await expect.poll(() => existsSync(join(gateway.home, "said"))).toBe(true);
  proxy.mend();

  await far.sees(/^missed-2\nready\$$/m);
  // What comes of the sizes shows before what is typed after they were taken.
  const told = (): unknown => wire.newest?.sent.find(({ type }) => type === "pane_resize")?.["requestId"];
  await expect.poll(told).toBeDefined();
  await expect.poll(() => wire.newest?.received.some(({ type, requestId }) => type === "ok" && requestId === told())).toBe(true);
  await far.run("echo then-$((1+2))");
  await far.sees(/^then-3\nready\$$/m);
  expect(wire.newest?.snapshots).toBe(0);
  expect((await far.pane()).text).not.toMatch(/^resized$/m);
});

test("what a page guesses of its room is what a pane with a frame around it has", async ({ far: { wire } }) => {
  const sent = (type: string): Record<string, unknown> | undefined => wire.newest?.sent.find((message) => message["type"] === type);
  await expect.poll(() => sent("pane_resize")).toBeDefined();
  const lost = (guess: string, measured: string): number => Number(sent("connect")?.[guess]) - Number(sent("pane_resize")?.[measured]);
  expect([0, 1, 2, 3]).toContain(lost("height", "rows"));
  expect([0, 1, 2, 3, 4]).toContain(lost("width", "cols"));
});
