// A page on the other side of a proxy that can cut its connections.

import { TOKEN } from "./gateway.ts";
import { test as base } from "./stage.ts";
import type { Viewer } from "./viewer.ts";

/** What a browser says of a connection that ends. */
const CUT = /WebSocket connection to .* failed|ERR_(CONNECTION|EMPTY|SOCKET)/;

/** A test with such a page, in whose pane a shell waits at its prompt. */
export const test = base.extend<{ far: Viewer }>({
  far: async ({ proxy, open }, use) => {
    const far = await open({ url: `${proxy.origin}/?token=${TOKEN}`, expected: CUT });
    await far.sees(/^ready\$/);
    await use(far);
  },
});
