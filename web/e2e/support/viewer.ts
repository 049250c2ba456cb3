// One page in a browser of its own, as a person sees it.

import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { Wire } from "./wire.ts";

/** A pane as it shows. */
export interface PaneSight {
  /** The lines of its terminal that are in view. */
  text: string;
  /** What its title bar says. */
  title: string;
  dead: boolean;
  focused: boolean;
  letterboxed: boolean;
  /** The text of the card on it. */
  card: string | undefined;
  box: { left: number; top: number; width: number; height: number };
}

/** A browser's window size in pixels. */
export interface Window {
  width: number;
  height: number;
}

/** A person with a browser. */
export class Viewer {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly wire: Wire;
  /** What the browser complained about: errors, and breaches of the page's policy. */
  readonly complaints: string[] = [];

  constructor(page: Page) {
    this.page = page;
    this.context = page.context();
    this.wire = new Wire(page);
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
  }

  /** The panes in view, row by row. */
  panes(): Promise<PaneSight[]> {
    return this.page.evaluate(() => {
      const sights = [...document.querySelectorAll<HTMLElement>(".pane:not([hidden])")].map((pane) => {
        const rows = [...pane.querySelectorAll(".xterm-rows > div")].map((row) => row.textContent ?? "");
        const card = pane.querySelector<HTMLElement>(".dead-card:not([hidden])");
        const { left, top, width, height } = pane.getBoundingClientRect();
        return {
          text: rows.map((row) => row.replaceAll("\u00a0", " ").trimEnd()).join("\n").trimEnd(),
          title: pane.querySelector<HTMLElement>(".pane-title")?.innerText ?? "",
          dead: pane.classList.contains("dead"),
          focused: pane.classList.contains("focused"),
          letterboxed: pane.classList.contains("letterboxed"),
          card: card?.innerText.replaceAll("\n", " "),
          box: { left, top, width, height },
        };
      });
      return sights.sort((one, other) => one.box.top - other.box.top || one.box.left - other.box.left);
    });
  }

  /** One pane, counted row by row from 0. */
  async pane(index = 0): Promise<PaneSight> {
    const sight = (await this.panes())[index];
    if (!sight) throw new Error(`there is no pane ${index}`);
    return sight;
  }

  /** How a pane's terminal looks: its rows as runs of text in one style. The cursor, which shows the focus, is left out. */
  look(index = 0): Promise<string[]> {
    return this.page.evaluate((at) => {
      const style = (span: HTMLElement): string => {
        const classes = [...span.classList].filter((name) => !name.startsWith("xterm-cursor")).sort().join(" ");
        const { color, backgroundColor } = span.style;
        return [classes, color, backgroundColor].filter((part) => part !== "").join(";");
      };
      const pane = document.querySelectorAll<HTMLElement>(".pane:not([hidden])")[at];
      return [...(pane?.querySelectorAll(".xterm-rows > div") ?? [])].map((row) => {
        let before = "";
        const runs = [...row.querySelectorAll<HTMLElement>("span")].map((span) => {
          const changed = style(span) === before ? "" : `<${style(span)}>`;
          before = style(span);
          return changed + (span.textContent ?? "").replaceAll("\u00a0", " ");
        });
        return runs.join("").trimEnd();
      });
    }, index);
  }

  /** Turns the mouse wheel over a pane; negative: up. */
  async wheel(steps: number, index = 0): Promise<void> {
    const { box } = await this.pane(index);
    await this.page.mouse.move(box.left + box.width / 2, box.top + box.height / 2);
    for (let step = 0; step < Math.abs(steps); step += 1) await this.page.mouse.wheel(0, 400 * Math.sign(steps));
  }

  /** The texts of the toasts. */
  toasts(): Promise<string[]> {
    return this.page.locator(".toast").allTextContents();
  }

  /** Waits until a pane's terminal shows something. */
  async sees(pattern: RegExp | string, index = 0): Promise<void> {
    await expect.poll(async () => (await this.panes())[index]?.text).toMatch(pattern);
  }

  /** Waits for a number of panes. */
  async seesPanes(count: number): Promise<void> {
    await expect.poll(async () => (await this.panes()).length).toBe(count);
  }

  /** Waits until a pane's card says something. */
  async seesCard(pattern: RegExp, index = 0): Promise<void> {
    await expect.poll(async () => (await this.panes())[index]?.card).toMatch(pattern);
  }

  /** Waits until a pane is live. */
  async seesLive(index = 0): Promise<void> {
    await expect.poll(async () => (await this.panes())[index]?.dead).toBe(false);
  }

  /** Types a line into the focused pane. */
  async run(command: string): Promise<void> {
    await this.page.keyboard.type(command);
    await this.page.keyboard.press("Enter");
  }

  /** Presses a chord. */
  async press(chord: string): Promise<void> {
    await this.page.keyboard.press(chord);
  }

  /** Clicks into a pane's terminal. */
  async click(index: number): Promise<void> {
    const { box } = await this.pane(index);
    await this.page.mouse.click(box.left + box.width / 2, box.top + box.height / 2);
  }

  /** Makes the page think that another browser tab is in front of it, or not any more. */
  async setHidden(hidden: boolean): Promise<void> {
    await this.page.evaluate((state) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden ? "hidden" : "visible");
  }
}

/** How often a line occurs. */
export function countLines(text: string, line: string): number {
  return text.split("\n").filter((candidate) => candidate === line).length;
}
