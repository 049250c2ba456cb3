// Nodes on the page. The nodes are made up, the gateway is real.

import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Directories, NodeRecord } from "../src/protocol.ts";
import type { Gateway } from "./support/gateway.ts";
import { Nodes } from "./support/nodes.ts";
import { test } from "./support/stage.ts";
import type { Viewer } from "./support/viewer.ts";

const LOCAL: NodeRecord = { id: "local", machine: "home", cwd: "/", status: "active", kind: "local" };

const BOX: NodeRecord = {
  id: "box-7",
  machine: "rack-2",
  cwd: "/srv",
  status: "active",
  kind: "pty_host",
  last_seen: Math.floor(Date.now() / 1000),
};

/** Nodes on which nobody looks at folders. */
function withoutFolders(...list: NodeRecord[]): Nodes {
  return new Nodes(list, () => ({ current: "/", directories: [] }));
}

/** Nodes with the folders of the gateway's home. */
function atHome(gateway: Gateway, ...list: NodeRecord[]): Nodes {
  return new Nodes(list, (path = gateway.home): Directories => {
    const entries = readdirSync(path, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map(({ name }) => name);
    return { current: path, directories: names.sort() };
  });
}

/** The lines of the roster, each as one text. */
async function lines(viewer: Viewer): Promise<string[]> {
  const texts = await viewer.page.locator(".roster-row").allInnerTexts();
  return texts.map((text) => text.replaceAll("\n", " "));
}

/** The names of the folders that are shown; the marked one in brackets. */
function folders(viewer: Viewer): Promise<string[]> {
  return viewer.page.locator(".folder-row").evaluateAll((rows) =>
    rows.map((row) => (row.getAttribute("aria-selected") === "true" ? `[${row.textContent}]` : (row.textContent ?? ""))),
  );
}

test("a pane says what it waits for, and where", async ({ open }) => {
  const nodes = withoutFolders();
  const viewer = await open({ before: (page) => nodes.join(page) });
  await viewer.sees(/^ready\$/);
  expect((await viewer.pane()).title).not.toContain("local");

  await nodes.put("box-7", { state: "lost", since: Date.now() - 120_000 });
  await viewer.seesCard(/Node box-7 is lost.*press any key to wake it.*lost 2 min ago/);
  expect(await viewer.pane()).toMatchObject({ dead: true, title: expect.stringContaining("box-7") });
  expect(await viewer.page.locator(".tab").innerText()).toContain("box-7");
  await nodes.put("box-7", { state: "waking", attempt: 2, since: Date.now() - 12_000 });
  await viewer.seesCard(/Waking box-7….*attempt 2,.*1[2-9] s/);
  await viewer.seesCard(/attempt 2,.*1[4-9] s/);
  await nodes.put("box-7", { state: "asleep", since: Date.now(), reason: "exit code 7" });
  await viewer.seesCard(/Asleep.*press any key to try again.*Could not be woken: exit code 7/);
  await nodes.put("local", { state: "live" });
  await viewer.seesLive();
  expect((await viewer.pane()).card).toBeUndefined();
});

test("a node that is away for a moment leaves no trace", async ({ open }) => {
  const nodes = withoutFolders();
  const viewer = await open({ before: (page) => nodes.join(page) });
  await viewer.sees(/^ready\$/);
  await viewer.page.evaluate(() => {
    const pane = document.querySelector(".pane");
    const note = (): void => {
      if (pane?.classList.contains("dead")) document.body.setAttribute("data-dimmed", "");
    };
    if (pane) new MutationObserver(note).observe(pane, { attributes: true });
  });
  for (let flap = 0; flap < 3; flap += 1) {
    await nodes.put("box-7", { state: "lost", since: Date.now() });
    await nodes.put("box-7", { state: "live" });
  }
  await expect.poll(async () => (await viewer.pane()).title).toContain("box-7");
  expect(await viewer.page.locator("body[data-dimmed]").count()).toBe(0);

  await nodes.put("box-7", { state: "lost", since: Date.now() });
  await viewer.page.locator("body[data-dimmed]").waitFor();
});

test("the roster shows the nodes as they come and go, and is connected only while it is open", async ({ open }) => {
  const nodes = withoutFolders(BOX, LOCAL);
  const viewer = await open({ before: (page) => nodes.join(page) });
  await viewer.sees(/^ready\$/);
  expect(nodes.watchers).toBe(0);
  await viewer.press("Control+Shift+H");
  await expect.poll(() => lines(viewer)).toEqual([
    expect.stringMatching(/^local 1 pane home · \/ this gateway’s own/),
    expect.stringMatching(/^box-7 0 panes rack-2 · \/srv active, seen/),
  ]);

  const gone: NodeRecord = { ...BOX, status: "offline", why: "asleep" };
  nodes.tell({ event: "node_offline", id: "box-7", why: "asleep" }, [gone, LOCAL]);
  await expect.poll(() => lines(viewer)).toContainEqual(expect.stringContaining("offline: it went to sleep"));
  expect(await viewer.page.getByRole("button", { name: "New tab here: box-7" }).isDisabled()).toBe(true);
  nodes.tell({ event: "node_removed", id: "box-7" }, [LOCAL]);
  await expect.poll(() => lines(viewer)).toHaveLength(1);

  nodes.list = [BOX, LOCAL];
  await nodes.cut();
  await expect.poll(() => lines(viewer)).toHaveLength(2);
  expect(nodes.watchers).toBe(1);
  await viewer.press("Escape");
  await expect.poll(() => nodes.watchers).toBe(0);
  await viewer.run("echo typed-$((1+1))");
  await viewer.sees(/^typed-2$/m);
});

test("a new tab starts in the folder that was walked to", async ({ gateway, open }) => {
  for (const path of ["code/orbit/src", "code/web", "music"]) mkdirSync(join(gateway.home, path), { recursive: true });
  const nodes = atHome(gateway, LOCAL);
  const viewer = await open({ before: (page) => nodes.join(page) });
  await viewer.sees(/^ready\$/);
  await viewer.page.getByRole("button", { name: "Nodes (Ctrl+Shift+H)" }).click();
  await viewer.page.getByRole("button", { name: "New tab here: local" }).click();
  await expect.poll(() => folders(viewer)).toEqual(["[code]", "music"]);
  await viewer.press("Enter");
  await expect.poll(() => folders(viewer)).toEqual(["[orbit]", "web"]);
  await viewer.press("ArrowDown");
  await viewer.press("ArrowRight");
  await expect.poll(() => viewer.page.locator(".folder-text").textContent()).toMatch(/^No folders/);
  await viewer.press("ArrowLeft");
  await expect.poll(() => folders(viewer)).toEqual(["orbit", "[web]"]);
  await viewer.page.locator(".folder-path button").first().click();
  await expect.poll(() => folders(viewer)).toEqual(["[code]", "music"]);
  await viewer.page.getByRole("option", { name: "code" }).click();
  await viewer.page.getByRole("option", { name: "orbit" }).click();
  await expect.poll(() => viewer.page.locator(".folder-path [aria-current]").textContent()).toBe("orbit");
  await viewer.page.getByRole("button", { name: "Start here" }).click();

  await expect.poll(() => viewer.page.locator(".tab").count()).toBe(2);
  await viewer.sees(/^ready\$/);
  await viewer.run("pwd");
  await viewer.sees(/\/code\/orbit$/m);
  expect(await viewer.page.locator("dialog").count()).toBe(0);
});

test("a folder that can't be listed says why, and a node that is not known as well", async ({ gateway, open }) => {
  mkdirSync(join(gateway.home, "locked"));
  const nodes = new Nodes([LOCAL, BOX], (path) => {
    if (path !== undefined) throw new Error("locked: permission denied");
    return { current: gateway.home, directories: ["locked"] };
  });
  const viewer = await open({ before: (page) => nodes.join(page) });
  await viewer.sees(/^ready\$/);
  await viewer.press("Control+Shift+H");
  await viewer.page.getByRole("button", { name: "New pane here: box-7" }).click();
  await expect.poll(() => folders(viewer)).toEqual(["[locked]"]);
  await viewer.press("Enter");
  await expect.poll(() => viewer.page.locator(".folder-text").textContent()).toBe("locked: permission denied");
  expect(await folders(viewer)).toEqual(["[locked]"]);
  await viewer.press("Control+Enter");
  await expect.poll(() => viewer.toasts()).toContainEqual(expect.stringMatching(/box-7/));
  await viewer.seesPanes(1);
});

test("a gateway that does not tell of nodes is not asked again and again", async ({ open }) => {
  const tries: string[] = [];
  const viewer = await open({
    expected: /WebSocket connection to .* failed|status of 404/,
    before: async (page) => {
      page.on("websocket", (socket) => tries.push(new URL(socket.url()).pathname));
      await page.route(/\/ws$/, (route) => route.fulfill({ status: 404 }));
      await page.addInitScript(() => {
        window.WebSocket = class extends WebSocket {
          constructor(url: string | URL, protocols?: string | string[]) {
            super(String(url).replace(/\/ws$/, "/nowhere"), protocols);
          }
        };
      });
    },
  });
  await viewer.sees(/^ready\$/);
  const text = viewer.page.locator(".roster-text");
  for (const round of [1, 2]) {
    await viewer.press("Control+Shift+H");
    await expect.poll(() => text.textContent()).toMatch(/^This gateway does not tell of nodes/);
    expect(tries.filter((path) => path === "/nowhere").length).toBeGreaterThanOrEqual(round);
    await viewer.press("Escape");
    await text.waitFor({ state: "detached" });
  }
});

test("a pane is moved to another node, and whoever does it is told what becomes of its program", async ({ open }) => {
  const nodes = withoutFolders(BOX, LOCAL);
  const viewer = await open({ before: (page) => nodes.join(page) });
  await viewer.sees(/^ready\$/);
  await nodes.put("box-7", { state: "live" });
  await expect.poll(async () => (await viewer.pane()).title).toContain("box-7");
  await viewer.press("Control+Shift+H");
  const move = (node: string): ReturnType<typeof viewer.page.getByRole> =>
    viewer.page.getByRole("button", { name: `Move focused pane here: ${node}` });
  await move("local").waitFor();
  expect(await move("box-7").isDisabled()).toBe(true);
  await move("local").click();
  await expect.poll(() => viewer.toasts()).toEqual([expect.stringMatching(/stays where it is.*starts on local/)]);
  expect(await viewer.page.locator("dialog").count()).toBe(0);
});
