// What every test has: a gateway, a browser, and as many viewers as it wants.

import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { test as base, expect } from "vitest";
import { Gateway } from "./gateway.ts";
import { Proxy } from "./proxy.ts";
import { Viewer, type Window } from "./viewer.ts";

/** Where systems keep a browser that can be driven. */
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The browser that is driven. */
const BROWSER = process.env["EVERPANE_BROWSER"] ?? BROWSERS.find(existsSync) ?? "chromium";

const QUIET = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** No drawing context: terminals are drawn with HTML, where their text can be read. */
const READABLE = "--disable-3d-apis";

/** Drawing contexts without a graphics card. */
const DRAWN = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"];

const USUAL: Window = { width: 1200, height: 760 };

/** What a viewer may differ in. */
export interface ViewerOptions {
  window?: Window;
  colorScheme?: "dark" | "light";
  /** How many pixels of a picture one pixel of the window takes. */
  scale?: number;
  /** The first address; the gateway's own with its token if there is none. */
  url?: string;
  /** Prepares the page before it goes anywhere. */
  before?: (page: Page) => Promise<void>;
  /** Complaints of the browser that are to be expected. */
  expected?: RegExp;
}

interface Fixtures {
  /** Terminals are drawn on a canvas, as on most machines. Their text can't be read then. */
  drawn: boolean;
  browser: Browser;
  /** Another way to the gateway. */
  proxy: Proxy;
  gateway: Gateway;
  /** Opens a viewer; its browser shares nothing with other viewers. */
  open: (options?: ViewerOptions) => Promise<Viewer>;
}

/** A test of the whole product. It fails if any page of it made the browser complain. */
export const test = base.extend<Fixtures>({
  drawn: false,
  browser: async ({ drawn }, use) => {
    const args = [...QUIET, ...(drawn ? DRAWN : [READABLE])];
    const browser = await chromium.launch({ executablePath: BROWSER, args });
    await use(browser);
    await browser.close();
  },
  // Vitest reads the dependencies of a fixture from this pattern.
  proxy: async ({}, use) => {
    const proxy = await Proxy.start();
    await use(proxy);
    proxy.stop();
  },
  gateway: async ({ proxy }, use) => {
    const gateway = await Gateway.start([proxy.origin]);
    proxy.leadTo(gateway.origin);
    await use(gateway);
    await gateway.stop();
  },
  open: async ({ browser, gateway }, use) => {
    const opened: { viewer: Viewer; expected: RegExp | undefined }[] = [];
    await use(async ({ window = USUAL, colorScheme = "dark", scale = 1, url = gateway.pageUrl, before, expected } = {}) => {
      const context = await browser.newContext({ viewport: window, colorScheme, deviceScaleFactor: scale });
      context.setDefaultTimeout(20_000);
      const viewer = new Viewer(await context.newPage());
      opened.push({ viewer, expected });
      await before?.(viewer.page);
      await viewer.page.goto(url);
      return viewer;
    });
    for (const { viewer, expected } of opened) {
      const unexpected = viewer.complaints.filter((complaint) => !expected?.test(complaint));
      expect(unexpected, "complaints of the browser").toEqual([]);
      await viewer.context.close();
    }
  },
});
