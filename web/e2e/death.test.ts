// A pane is permanent, a PTY is not.

import { expect } from "vitest";
import { test } from "./support/stage.ts";
import { countLines, type Viewer } from "./support/viewer.ts";

/** What a browser says of a gateway that is away. */
const AWAY = /WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/;

/** Whether the card on a viewer's pane is as high as a line. */
function cardHides(viewer: Viewer, line: string): Promise<boolean> {
  return viewer.page.evaluate((text) => {
    const rows = [...document.querySelectorAll(".xterm-rows > div")];
    const row = rows.find(({ textContent }) => textContent?.replaceAll("\u00a0", " ").trimEnd() === text);
    const card = document.querySelector(".dead-card:not([hidden])");
    if (!row || !card) throw new Error("there is no such line, or no card");
    const [{ top, bottom }, over] = [row.getBoundingClientRect(), card.getBoundingClientRect()];
    return over.top < bottom && top < over.bottom;
  }, line);
}

test("a dead pane says why at once, and typing brings it back", async ({ open }) => {
  const one = await open();
  const other = await open();
  await one.sees(/^ready\$/);
  await one.run("echo before-$((1+1))");
  await other.sees(/^before-2$/m);
  await one.run("exit 3");
  for (const viewer of [one, other]) await viewer.seesCard(/Disconnected.*any key to reconnect.*Exited with code 3/);
  for (const viewer of [one, other]) expect(await viewer.pane()).toMatchObject({ dead: true });

  await other.run("echo back");
  for (const viewer of [one, other]) {
    await viewer.seesLive();
    await viewer.sees(/^back\nready\$$/m);
    const { text, card } = await viewer.pane();
    expect(card).toBeUndefined();
    expect(countLines(text, "back")).toBe(1);
    expect(text).toMatch(/^before-2$[^]*exited with code 3[^]*^back$/m);
  }
});

test("the card on a dead pane hides nothing of what was printed last", async ({ open }) => {
  const one = await open();
  await one.sees(/^ready\$/);
  for (const lines of [3, 200]) {
    await one.run(`clear; seq 1 ${lines}; exec echo the end`);
    await one.sees(/^the end$/m);
    const late = await open();
    await late.sees(/^the end$/m);
    for (const viewer of [one, late]) {
      await viewer.seesCard(/Disconnected/);
      await expect.poll(() => cardHides(viewer, "the end")).toBe(false);
    }
    await one.run("");
    await one.seesLive();
  }
});

test("looking at a dead pane never wakes it", async ({ gateway, open }) => {
  const viewer = await open();
  await viewer.sees(/^ready\$/);
  await viewer.press("Control+Shift+E");
  await viewer.sees(/^ready\$/, 1);
  // A program that wants every move of the mouse and every change of the focus, and dies without taking that back.
  await viewer.run("exec bash -c 'printf \"\\e[?1003h\\e[?1006h\\e[?1004h\"; echo program $$; exec sleep 1000'");
  await viewer.sees(/^program \d+$/m, 1);
  process.kill(Number(/^program (\d+)$/m.exec((await viewer.pane(1)).text)?.[1]), "SIGKILL");
  await viewer.seesCard(/Killed by SIGKILL/, 1);

  const { box } = await viewer.pane(1);
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  for (let round = 0; round < 3; round += 1) {
    await viewer.click(0);
    await viewer.click(1);
    await viewer.page.mouse.move(x - 40, y - 40);
    await viewer.page.mouse.move(x, y, { steps: 5 });
    await viewer.page.mouse.wheel(0, -200);
    await viewer.page.mouse.wheel(0, 200);
    await viewer.setHidden(true);
    await viewer.setHidden(false);
  }
  // One viewer's messages are taken in order: when this shows, whatever the mouse said has been taken.
  await viewer.click(0);
  await viewer.run("echo all-$((1+1))");
  await viewer.sees(/^all-2$/m, 0);
  await viewer.seesCard(/Killed by SIGKILL/, 1);
  expect(gateway.programs()).toHaveLength(1);

  await viewer.click(1);
  await viewer.run("echo up-$((1+1))");
  await viewer.sees(/^up-2$/m, 1);
  expect(gateway.programs()).toHaveLength(2);
});

test("the key that ends a text field is not typed into the pane behind it", async ({ gateway, open }) => {
  const viewer = await open();
  await viewer.sees(/^ready\$/);
  await viewer.run("exit");
  await viewer.seesCard(/Disconnected/);
  const theme = await viewer.page.locator("html").getAttribute("data-theme");
  await viewer.press("Control+Shift+K");
  await viewer.run("light or dark");
  await expect.poll(() => viewer.page.locator("html").getAttribute("data-theme")).not.toBe(theme);
  await viewer.press("Control+Shift+F");
  await viewer.run("ready");
  await viewer.press("Escape");
  await viewer.press("Control+Shift+R");
  await viewer.run("worker");
  await expect.poll(async () => (await viewer.pane()).title).toContain("worker");
  await viewer.press("Control+Shift+Y");
  await viewer.run("jobs");
  await expect.poll(() => viewer.page.locator(".tab").textContent()).toBe("jobs");

  // The gateway takes a viewer's messages in order: a key sent before this would have brought a shell.
  await viewer.press("Control+Shift+Enter");
  await viewer.sees(/^ready\$/);
  expect(gateway.programs()).toHaveLength(1);
});

test("a gateway that was killed comes back with its panes, and the page by itself", async ({ gateway, open }) => {
  const viewer = await open({ expected: AWAY });
  await viewer.sees(/^ready\$/);
  await viewer.page.evaluate(() => document.body.setAttribute("data-same-page", ""));
  await viewer.run("echo old-$((1+1))");
  await viewer.sees(/^old-2$/m);
  await gateway.saved("old-2");

  await gateway.kill();
  await viewer.page.locator(".pill.down").waitFor();
  await gateway.start();
  await viewer.seesCard(/any key to reconnect.*Ended with the gateway/);
  await viewer.sees(/^old-2$/m);
  expect(gateway.programs()).toEqual([]);
  await viewer.press("Enter");
  await viewer.seesLive();
  await viewer.sees(/^old-2$[^]*^ready\$/m);
  expect(await viewer.page.locator("body[data-same-page]").count()).toBe(1);
});

test("keys typed while the gateway is away are kept for it", async ({ gateway, open }) => {
  const viewer = await open({ expected: AWAY });
  await viewer.sees(/^ready\$/);
  await gateway.saved("ready$");
  await gateway.kill();
  await viewer.page.locator(".pill.down").waitFor();
  await viewer.run("echo held-$((40+2))");
  await expect.poll(() => viewer.page.locator(".pill").textContent()).toContain("20 bytes kept");
  await gateway.start();
  await viewer.sees(/^held-42\nready\$$/m);
  // Scrollback that is fetched ahead may be taking the screen's place just now.
  await expect.poll(async () => countLines((await viewer.pane()).text, "held-42")).toBe(1);
});

test("a page in the background counts what happened behind it", async ({ open }) => {
  const viewer = await open();
  await viewer.sees(/^ready\$/);
  const title = (): Promise<string> => viewer.page.title();
  await viewer.run("read -r; printf '\\a'; read -r; exit");
  await viewer.sees(/exit/);
  await viewer.setHidden(true);
  await viewer.press("Enter");
  await expect.poll(title).toMatch(/^\(1\) /);
  await viewer.setHidden(false);
  await expect.poll(title).not.toMatch(/^\(/);

  await viewer.setHidden(true);
  await viewer.press("Enter");
  await viewer.seesCard(/Disconnected/);
  await expect.poll(title).toMatch(/^\(1\) /);
  await viewer.setHidden(false);
  await expect.poll(title).not.toMatch(/^\(/);
});
