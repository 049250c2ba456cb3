// The list of keys.

import { bindings, chordFamilies } from "../model/keys.ts";
import { showDialog } from "./dialog.ts";
import { el } from "./dom.ts";
import { keyCaps } from "./palette.ts";

const GROUPS = ["Tabs", "Panes", "Sessions", "Text", "Page"] as const;

/** Opens the keyboard help. */
export function openHelp(mac: boolean, closed: () => void): void {
  const all = [...bindings(), ...chordFamilies(mac)].filter(({ keys }) => keys !== "");
  const groups = GROUPS.map((group) => {
    const rows = all.filter((binding) => binding.group === group);
    return el(
      "section",
      {},
      el("h3", { text: group }),
      ...rows.map(({ label, keys }) => el("div", { class: "help-row" }, el("span", { text: label }), keyCaps(keys))),
    );
  });
  const close = el("button", { class: "button", text: "Close", attrs: { type: "button" } });
  const content = el(
    "div",
    { class: "dialog-body" },
    el("h2", { text: "Keyboard" }),
    el("p", {
      text:
        "A pane whose shell has ended is dimmed. Just type: the next key starts a new shell, and it gets everything you typed. " +
        "Double-click a name to change it, drag a tab to move it, drag between panes to resize them.",
    }),
    el("div", { class: "help-groups" }, ...groups),
    el("div", { class: "dialog-buttons" }, close),
  );
  const dialog = showDialog(content, "help", closed);
  close.addEventListener("click", () => dialog.close());
  close.focus();
}
