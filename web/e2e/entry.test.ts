// Getting in: the token, the login, the first shell, and who is kept out.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import { TOKEN } from "./support/gateway.ts";
import { test } from "./support/stage.ts";

test("the printed address leads to a shell, and the token leaves the address", async ({ gateway, open }) => {
  const viewer = await open();
  expect(viewer.page.url()).toBe(`${gateway.origin}/`);
  const cookies = await viewer.context.cookies();
  expect(cookies).toMatchObject([{ httpOnly: true, sameSite: "Strict" }]);
  expect(cookies[0]?.value).not.toContain(TOKEN);
  expect(await viewer.page.evaluate(() => document.cookie)).toBe("");
  await viewer.sees(/^ready\$/);
  await viewer.run("echo hi-$((6*7))");
  await viewer.sees(/^hi-42$/m);
  await viewer.page.reload();
  await viewer.sees(/^hi-42$/m);
});

test("a wrong token leads to the login, and the right one in", async ({ gateway, open }) => {
  const viewer = await open({ url: `${gateway.origin}/?token=not-the-one-at-all`, expected: /status of 401/ });
  const { page } = viewer;
  await expect.poll(() => page.url()).toBe(`${gateway.origin}/login`);
  await page.getByLabel("Token").fill("neither-is-this-one");
  await page.getByRole("button").click();
  await expect.poll(() => page.getByRole("alert").textContent()).toBe("That is not the token.");
  await page.getByLabel("Token").fill(TOKEN);
  await page.getByRole("button").click();
  await viewer.sees(/^ready\$/);
  expect(page.url()).toBe(`${gateway.origin}/`);
});

test("a page of another origin gets no socket, though the browser sends the cookie", async ({ gateway, open }) => {
  const viewer = await open();
  await viewer.sees(/^ready\$/);
  const stranger = createServer((_, response) => response.setHeader("Content-Type", "text/html").end("<title>stranger</title>"));
  await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
  try {
    const page = await viewer.context.newPage();
    await page.goto(`http://127.0.0.1:${(stranger.address() as AddressInfo).port}/`);
    const outcome = await page.evaluate(
      (url) =>
        new Promise<string>((resolve) => {
          const socket = new WebSocket(url, "everpane.v1");
          socket.onopen = () => resolve("opened");
          socket.onclose = (event) => resolve(`closed with ${event.code}`);
        }),
      `${gateway.origin.replace("http", "ws")}/mux`,
    );
    expect(outcome).toBe("closed with 1006");
  } finally {
    stranger.closeAllConnections();
    stranger.close();
  }
});
