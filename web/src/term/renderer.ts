// Draws a terminal on the graphics card while it is shown, where that works; else xterm.js draws with HTML.

import { WebglAddon } from "@xterm/addon-webgl";
import type { Terminal } from "@xterm/xterm";

/** Browsers keep about 16 drawing contexts and take the oldest away; some are left for other pages. */
const MOST_CONTEXTS = 10;

/** Once it failed it fails for every terminal. */
let works = true;
let contexts = 0;

/** The drawing context of one terminal. */
export class Renderer {
  #terminal: Terminal;
  #addon: WebglAddon | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** The terminal is shown. */
  acquire(): void {
    if (this.#addon || !works || contexts >= MOST_CONTEXTS) return;
    try {
      const addon = new WebglAddon();
      addon.onContextLoss(() => this.release());
      this.#terminal.loadAddon(addon);
      this.#addon = addon;
      contexts += 1;
    } catch {
      works = false;
    }
  }

  /** The terminal is hidden, or its context was taken away. */
  release(): void {
    if (!this.#addon) return;
    this.#addon.dispose();
    this.#addon = undefined;
    contexts -= 1;
  }
}
