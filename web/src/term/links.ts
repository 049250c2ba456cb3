// Links in terminals: opened with Ctrl or Cmd, so that a plain click stays with the program.

/** Opens a link, if it is one that a page may open. */
export function openLink(event: MouseEvent, target: string): void {
  if (!event.ctrlKey && !event.metaKey) return;
  if (isWebLink(target)) window.open(target, "_blank", "noopener,noreferrer");
}

/** What to show while the pointer is on a link. */
export function linkHint(target: string): string {
  return isWebLink(target) ? `${target}\nCtrl+click to open` : target;
}

function isWebLink(target: string): boolean {
  try {
    return ["http:", "https:"].includes(new URL(target).protocol);
  } catch {
    return false;
  }
}
