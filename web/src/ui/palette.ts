// Every command by name.

import { fuzzyFilter } from "../model/fuzzy.ts";
import { showDialog } from "./dialog.ts";
import { el } from "./dom.ts";

/** One line of the palette. */
export interface PaletteItem {
  label: string;
  /** The heading it belongs under. */
  group: string;
  /** Its keys; may be empty. */
  keys: string;
  run: () => void;
}

/** Opens the palette; `closed` runs before the chosen command. */
export function openPalette(items: PaletteItem[], closed: () => void): void {
  const input = el("input", { attrs: { type: "text", placeholder: "Type a command, a tab or a session", spellcheck: "false" } });
  const list = el("div", { class: "palette-list", attrs: { role: "listbox" } });
  let shown: PaletteItem[] = [];
  let index = 0;
  let chosen: PaletteItem | undefined;
  const dialog = showDialog(el("div", { class: "palette-body" }, input, list), "palette", () => {
    closed();
    chosen?.run();
  });
  const choose = (item: PaletteItem | undefined): void => {
    chosen = item;
    dialog.close();
  };
  const mark = (): void => {
    [...list.children].forEach((row, at) => {
      row.setAttribute("aria-selected", String(at === index));
      if (at === index) row.scrollIntoView({ block: "nearest" });
    });
  };
  const render = (): void => {
    shown = fuzzyFilter(input.value, items, (item) => `${item.label} ${item.group}`);
    index = 0;
    list.replaceChildren(...shown.map((item) => row(item, () => choose(item))));
    mark();
  };
  input.addEventListener("input", render);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      // Or else the rest of the key press would go to the terminal that gets the keyboard back.
      event.preventDefault();
      choose(shown[index]);
    }
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || shown.length === 0) return;
    event.preventDefault();
    index = (index + step + shown.length) % shown.length;
    mark();
  });
  render();
  input.focus();
}

function row(item: PaletteItem, choose: () => void): HTMLElement {
  const element = el(
    "div",
    { class: "palette-row", attrs: { role: "option" } },
    el("span", { class: "palette-label", text: item.label }),
    el("span", { class: "palette-group", text: item.group }),
    keyCaps(item.keys),
  );
  element.addEventListener("click", choose);
  return element;
}

/** Draws `Ctrl+Shift+E` as keys. */
export function keyCaps(keys: string): HTMLElement {
  const caps = keys === "" ? [] : keys.split("+").map((key) => el("kbd", { text: key }));
  return el("span", { class: "keys" }, ...caps);
}
