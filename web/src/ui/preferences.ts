// This browser's settings, kept in its storage and applied to the page.

import { clampFontSize, FONT_SIZES, parseSettings, type Settings } from "../model/settings.ts";
import type { Look } from "../term/paneterminal.ts";

const STORAGE_KEY = "everpane";

/** The settings of this browser. */
export class Preferences {
  #settings: Settings;
  #system = matchMedia("(prefers-color-scheme: dark)");
  #changed: (look: Look) => void = () => undefined;

  constructor() {
    this.#settings = parseSettings(read());
    this.#system.addEventListener("change", () => this.#apply());
    this.#apply();
  }

  /** How terminals look. */
  get look(): Look {
    return { dark: this.#dark, fontSize: this.#settings.fontSize };
  }

  /** From now on, `changed` is told of every change. */
  onChange(changed: (look: Look) => void): void {
    this.#changed = changed;
  }

  /** Light if it is dark, and dark if it is light; what the system says is followed again when they agree. */
  toggleTheme(): void {
    const dark = !this.#dark;
    this.#settings.theme = dark === this.#system.matches ? "auto" : dark ? "dark" : "light";
    this.#save();
  }

  /** Larger or smaller text; 0: back to the usual size. */
  stepFontSize(step: number): void {
    this.#settings.fontSize = step === 0 ? FONT_SIZES.usual : clampFontSize(this.#settings.fontSize + step);
    this.#save();
  }

  /** Whether the system is to show notifications. */
  get notify(): boolean {
    return this.#settings.notify;
  }

  set notify(notify: boolean) {
    this.#settings.notify = notify;
    this.#save();
  }

  get #dark(): boolean {
    return this.#settings.theme === "auto" ? this.#system.matches : this.#settings.theme === "dark";
  }

  #save(): void {
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify(this.#settings));
    } catch {
      // Storage may be forbidden; then the settings last as long as the page.
    }
    this.#apply();
  }

  #apply(): void {
    document.documentElement.dataset["theme"] = this.#dark ? "dark" : "light";
    this.#changed(this.look);
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}
