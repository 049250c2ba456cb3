import { expect, test } from "vitest";
import { Notifications } from "../../src/model/notifications.ts";
import type { PaneInfo } from "../../src/protocol.ts";
import { info } from "../fixtures.ts";

function told(number: number): PaneInfo {
  return info({ notification: { number, title: "done", body: "", at: 0 } });
}

function take(notifications: Notifications, panes: Record<string, PaneInfo>): string[] {
  return notifications.take(panes).map(({ paneId, notification }) => `${paneId}:${notification.number}`);
}

test("each is shown once, and none that was there before the page", () => {
  const notifications = new Notifications();
  expect(take(notifications, { p1: told(3), p2: info() })).toEqual([]);
  expect(take(notifications, { p1: told(3), p2: info() })).toEqual([]);
  expect(take(notifications, { p1: told(4), p2: told(1) })).toEqual(["p1:4", "p2:1"]);
  expect(take(notifications, { p1: told(4), p2: told(1), p3: told(2) })).toEqual(["p3:2"]);
});

test("a gateway that counts anew is followed", () => {
  const notifications = new Notifications();
  take(notifications, { p1: told(9) });
  expect(take(notifications, { p1: told(1) })).toEqual([]);
  expect(take(notifications, { p1: told(2) })).toEqual(["p1:2"]);
});

test("closed panes are forgotten", () => {
  const notifications = new Notifications();
  notifications.retain(() => true);
  take(notifications, { p1: told(9) });
  notifications.retain(() => false);
  expect(take(notifications, { p1: told(1) })).toEqual(["p1:1"]);
});
