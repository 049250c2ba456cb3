// The system's clipboard, as far as the browser lets the page at it.

import type { IClipboardProvider } from "@xterm/addon-clipboard";

/** The most text that a program may put into the clipboard, in UTF-16 units. */
const MOST_PROGRAM_TEXT = 1 << 20;

/** Copies text; `false` if the browser refuses. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages that came over plain HTTP have no `navigator.clipboard`.
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "offscreen";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}

/** Lets programs set the clipboard and never read it. `allowed` says whether they may just now. */
export class WriteOnlyClipboard implements IClipboardProvider {
  #allowed: () => boolean;

  constructor(allowed: () => boolean) {
    this.#allowed = allowed;
  }

  readText(): string {
    return "";
  }

  /** Returns nothing to wait for: the terminal would show no more output until the browser had answered. */
  writeText(_selection: string, text: string): void {
    if (text.length > MOST_PROGRAM_TEXT || !this.#allowed()) return;
    void copyText(text);
  }
}
