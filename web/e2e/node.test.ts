// A node on the page, and nothing made up: another process that hosts terminals for the gateway.

import { expect } from "vitest";
import { Node } from "./support/node.ts";
import { test as base } from "./support/stage.ts";

const test = base.extend<{ node: Node }>({
  node: async ({ gateway }, use) => {
    const node = new Node(gateway);
    await use(node);
    await node.stop();
  },
});

test("a pane on a node dims alone when the node is killed, and is live again when it is back", async ({ node, open }) => {
  const viewer = await open();
  await viewer.sees(/^ready\$/);
  node.start("box-7");
  await viewer.press("Control+Shift+H");
  await expect.poll(() => viewer.page.locator(".roster-row").allInnerTexts()).toContainEqual(expect.stringContaining("box-7"));
  await viewer.page.getByRole("button", { name: "New pane here: box-7" }).click();
  await expect.poll(() => viewer.page.locator(".folder-row").allTextContents()).toEqual(["inside"]);
  await viewer.page.getByRole("button", { name: "Start here" }).click();
  await viewer.seesPanes(2);
  await viewer.sees(/^on-the-node\$/m, 1);
  await viewer.run("echo there-$((6*7))");
  await viewer.sees(/^there-42$/m, 1);

  await node.kill();
  await viewer.seesCard(/Node box-7 is lost/, 1);
  expect((await viewer.pane(1)).dead).toBe(true);
  expect((await viewer.pane(0)).dead).toBe(false);
  await viewer.click(0);
  await viewer.run("echo here-$((6*7))");
  await viewer.sees(/^here-42$/m, 0);

  node.start("box-7");
  await expect.poll(async () => (await viewer.pane(1)).card).not.toMatch(/is lost/);
  await viewer.click(1);
  await viewer.press("Enter");
  await viewer.seesLive(1);
  await viewer.run("echo back-$((6*7))");
  await viewer.sees(/^back-42$/m, 1);
});
