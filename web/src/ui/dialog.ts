// Questions that stand in the way until they are answered. The browser's own dialog element keeps the focus in.

import { el } from "./dom.ts";

/** A question with two answers. */
export interface Question {
  title: string;
  text: string;
  /** The label of the button that goes ahead. */
  confirm: string;
}

/** Shows a dialog with some content; it removes itself when it is closed, and then calls `closed`. */
export function showDialog(content: HTMLElement, kind: string, closed: () => void): HTMLDialogElement {
  const dialog = el("dialog", { class: `dialog ${kind}` }, content);
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed();
  });
  // A press on the backdrop is a press on the dialog itself, outside of its content.
  dialog.addEventListener("pointerdown", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Asks; `yes` runs if somebody goes ahead. */
export function confirmDialog(question: Question, yes: () => void, closed: () => void): void {
  const cancel = el("button", { class: "button", text: "Cancel", attrs: { type: "button" } });
  const confirm = el("button", { class: "button danger", text: question.confirm, attrs: { type: "button" } });
  const content = el(
    "div",
    { class: "dialog-body" },
    el("h2", { text: question.title }),
    el("p", { text: question.text }),
    el("div", { class: "dialog-buttons" }, cancel, confirm),
  );
  const dialog = showDialog(content, "confirm", closed);
  cancel.addEventListener("click", () => dialog.close());
  confirm.addEventListener("click", () => {
    dialog.close();
    yes();
  });
  confirm.focus();
}
