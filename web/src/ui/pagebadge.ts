// The browser tab's title and icon.

import iconUrl from "../icon.svg?url";

const BADGED =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0f766e"/>' +
  '<path d="M8 10l6 6-6 6" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/>' +
  '<circle cx="24" cy="8" r="7.5" fill="#f97066" stroke="#fff" stroke-width="2"/></svg>';

/** Shows what the page is about, and how many panes want to be looked at. */
export function showPageBadge(name: string, count: number): void {
  const title = name === "" ? "Everpane" : `${name} — Everpane`;
  document.title = count > 0 ? `(${count}) ${title}` : title;
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const href = count > 0 ? `data:image/svg+xml,${encodeURIComponent(BADGED)}` : iconUrl;
  if (link && link.getAttribute("href") !== href) link.setAttribute("href", href);
}
