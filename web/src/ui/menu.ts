// A list that opens below a button.

import { el, type IconName, svgIcon } from "./dom.ts";

/** One line of a menu. */
export interface MenuItem {
  label: string;
  /** Small text at the right. */
  detail?: string;
  icon?: IconName;
  checked?: boolean;
  /** A small button at the end of the line. */
  extra?: { icon: IconName; label: string; run: () => void };
  run: () => void;
}

/** Opens a menu; a group is set off from the one before. It closes itself, and then calls `closed`. */
export function openMenu(anchor: HTMLElement, groups: MenuItem[][], closed: () => void): void {
  const menu = el("div", { class: "menu", attrs: { role: "menu" } });
  const ending = new AbortController();
  const close = (): void => {
    if (ending.signal.aborted) return;
    ending.abort();
    menu.remove();
    closed();
  };
  for (const items of groups) menu.append(el("div", { class: "menu-group" }, ...items.map((item) => row(item, close))));
  const { left, bottom } = anchor.getBoundingClientRect();
  menu.style.left = `${left}px`;
  menu.style.top = `${bottom + 4}px`;
  menu.addEventListener("keydown", (event) => onKey(event, menu, close));
  const { signal } = ending;
  const outside = (event: Event): void => {
    if (event.target instanceof Node && !menu.contains(event.target)) close();
  };
  document.addEventListener("pointerdown", outside, { capture: true, signal });
  document.addEventListener("focusin", outside, { signal });
  addEventListener("blur", close, { signal });
  document.body.append(menu);
  const first = menu.querySelector<HTMLElement>("[aria-checked=true]") ?? menu.querySelector<HTMLElement>(".menu-item");
  first?.focus();
}

function row(item: MenuItem, close: () => void): HTMLElement {
  const choose = (run: () => void) => (event: Event) => {
    event.stopPropagation();
    close();
    run();
  };
  const attrs = { type: "button", role: "menuitemradio", "aria-checked": String(item.checked ?? false) };
  const button = el("button", { class: "menu-item", attrs, click: choose(item.run) });
  if (item.icon) button.append(svgIcon(item.icon));
  button.append(el("span", { class: "menu-label", text: item.label }), el("span", { class: "menu-detail", text: item.detail ?? "" }));
  const line = el("div", { class: "menu-row" }, button);
  if (item.extra) {
    const { icon, label, run } = item.extra;
    const extra = el("button", { class: "icon-button", title: label, attrs: { type: "button", "aria-label": label }, click: choose(run) });
    extra.append(svgIcon(icon));
    line.append(extra);
  }
  return line;
}

function onKey(event: KeyboardEvent, menu: HTMLElement, close: () => void): void {
  event.stopPropagation();
  if (event.key === "Escape") close();
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const items = [...menu.querySelectorAll<HTMLElement>(".menu-item")];
  const index = items.findIndex((item) => item === document.activeElement);
  items[(index + step + items.length) % items.length]?.focus();
}
