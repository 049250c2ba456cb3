// Editing a name in its place.

import { el } from "./dom.ts";

/** Puts a text field where `label` is, until Enter, Escape or a click elsewhere. `commit` gets the trimmed text. */
export function editInline(label: HTMLElement, value: string, commit: (text: string) => void, done: () => void): void {
  if (label.dataset["editing"] !== undefined) return;
  const input = el("input", { class: "inline-edit", attrs: { type: "text", maxlength: "200", spellcheck: "false" } });
  input.value = value;
  const finish = (save: boolean): void => {
    if (label.dataset["editing"] === undefined) return;
    delete label.dataset["editing"];
    input.remove();
    if (save && input.value.trim() !== value) commit(input.value.trim());
    done();
  };
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
    // Or else the rest of the key press would go to the terminal, which has the keyboard from here on.
    event.preventDefault();
    finish(event.key === "Enter");
  });
  input.addEventListener("blur", () => finish(true));
  for (const type of ["pointerdown", "dblclick", "click", "mousedown"] as const) {
    input.addEventListener(type, (event) => event.stopPropagation());
  }
  label.dataset["editing"] = "";
  label.after(input);
  input.focus();
  input.select();
}
