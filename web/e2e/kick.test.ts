// Pages that are sent away.

import type { WebSocketRoute } from "playwright-core";
import { expect } from "vitest";
import { type Gateway, TOKEN } from "./support/gateway.ts";
import { test } from "./support/stage.ts";
import { countLines, type Viewer } from "./support/viewer.ts";

/** The ids of who is connected, oldest first. */
async function viewers({ origin }: Gateway): Promise<string[]> {
  const answer = await fetch(`${origin}/api/v1/viewers`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const { viewers } = (await answer.json()) as { viewers: { id: string }[] };
  return viewers.map(({ id }) => id);
}

/** Sends a viewer away, as `everpane viewers --kick` does. */
async function kick({ origin }: Gateway, viewer: string | undefined): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const { status } = await fetch(`${origin}/api/v1/viewers/${viewer}`, { method: "DELETE", headers });
  expect(status).toBe(204);
}

/** Waits until a page says that it was sent away. */
async function seesFarewell(viewer: Viewer): Promise<void> {
  await expect.poll(() => viewer.page.locator(".away-card:visible").allInnerTexts()).toHaveLength(1);
  const text = await viewer.page.locator(".away-card").innerText();
  expect(text).toMatch(/You were sent away[^]*press any key to reconnect[^]*Reconnect$/);
}

test("a page that is sent away comes back for a key or a click, and for nothing else", async ({ gateway, open }) => {
  const page = await open();
  const { wire } = page;
  await page.sees(/^ready\$/);
  const other = await open();
  await other.sees(/^ready\$/);
  await kick(gateway, (await viewers(gateway))[0]);
  await seesFarewell(page);

  // Neither looking nor what would end another wait brings it back.
  await page.click(0);
  await page.wheel(-1);
  await page.setHidden(true);
  await page.setHidden(false);
  await page.page.evaluate(() => dispatchEvent(new Event("online")));
  await other.run("echo meanwhile-$((1+1))");
  await other.sees(/^meanwhile-2$/m);
  expect(wire.connections).toHaveLength(1);
  expect(await viewers(gateway)).toHaveLength(1);
  expect((await page.pane()).text).not.toMatch(/meanwhile-2/);

  await page.run("echo back-$((1+1))");
  await page.sees(/^meanwhile-2$[^]*^back-2\nready\$$/m);
  expect(await page.page.locator(".away-card:visible").count()).toBe(0);
  expect(countLines((await page.pane()).text, "back-2")).toBe(1);
  expect(await page.toasts()).toEqual([]);

  await kick(gateway, (await viewers(gateway)).at(-1));
  await seesFarewell(page);
  await page.page.getByRole("button", { name: "Reconnect", exact: true }).click();
  await expect.poll(() => page.page.locator(".away-card:visible").count()).toBe(0);
  await other.run("echo last-$((1+1))");
  await page.sees(/^last-2$/m);
  expect(wire.connections).toHaveLength(3);
});

test("a page that the gateway does not understand says so, and is loaded anew on request", async ({ open }) => {
  const sockets: WebSocketRoute[] = [];
  const page = await open({
    before: (page) =>
      page.routeWebSocket(/\/mux$/, (socket) => {
        socket.connectToServer();
        sockets.push(socket);
      }),
  });
  await page.sees(/^ready\$/);
  await sockets[0]?.close({ code: 1008, reason: "too many malformed messages" });
  await expect.poll(() => page.page.locator(".away-card").innerText()).toMatch(/does not understand this page[^]*Reload$/);
  await page.press("a");
  await page.page.evaluate(() => dispatchEvent(new Event("online")));
  expect(sockets).toHaveLength(1);
  await page.page.getByRole("button", { name: "Reload" }).click();
  await expect.poll(() => sockets).toHaveLength(2);
  await page.sees(/^ready\$$/);
  expect(sockets).toHaveLength(2);
});
