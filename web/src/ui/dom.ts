// Making elements. Text is always set as text, never as HTML: titles and names come from programs.

/** What an element is made with. */
export interface Props {
  class?: string;
  title?: string;
  text?: string;
  /** Attributes. */
  attrs?: Record<string, string>;
  /** Runs on a click, or on Enter and Space if the element is a button. */
  click?: (event: MouseEvent) => void;
}

/** Makes an element with children. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (props.class !== undefined) element.className = props.class;
  if (props.title !== undefined) element.title = props.title;
  if (props.text !== undefined) element.textContent = props.text;
  for (const [name, value] of Object.entries(props.attrs ?? {})) element.setAttribute(name, value);
  if (props.click) element.addEventListener("click", props.click as EventListener);
  element.append(...children);
  return element;
}

/** Makes an icon button; `label` is its tooltip and what screen readers say. */
export function iconButton(icon: IconName, label: string, click: (event: MouseEvent) => void): HTMLButtonElement {
  const button = el("button", { class: "icon-button", title: label, attrs: { type: "button", "aria-label": label }, click });
  // A click on a button must not take the focus from the terminal.
  button.addEventListener("pointerdown", (event) => event.preventDefault());
  button.addEventListener("mousedown", (event) => event.preventDefault());
  button.append(svgIcon(icon));
  return button;
}

/** Sets text only if it differs, so that nothing is laid out for nothing. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const SVG = "http://www.w3.org/2000/svg";

/** Strokes on a 16 by 16 grid. */
const ICONS = {
  plus: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  "split-right": "M2.5 3.5h11v9h-11zM8 3.5v9",
  "split-down": "M2.5 3.5h11v9h-11zM2.5 8h11",
  zoom: "M9.5 3h3.5v3.5M13 3L9 7M6.5 13H3V9.5M3 13l4-4",
  unzoom: "M13 3L9 7M9 3.8V7h3.2M3 13l4-4M7 12.2V9H3.8",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3L14 14",
  command: "M3 4.5l3.5 3.5L3 11.5M8.5 12H13",
  theme: "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11",
  help: "M6 6.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M8 12v.2M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z",
  chevron: "M4.5 6.5L8 10l3.5-3.5",
  up: "M4.5 9.5L8 6l3.5 3.5",
  bell: "M4 11V7a4 4 0 0 1 8 0v4l1 1H3zM7 14h2",
  nodes: "M2.5 2.5h11v4.5h-11zM2.5 9h11v4.5h-11zM5 4.8h.2M5 11.3h.2",
  edit: "M3 13l.6-2.8L10.8 3 13 5.2l-7.2 7.2z",
} as const;

/** An icon of this page. */
export type IconName = keyof typeof ICONS;

/** Draws an icon. */
export function svgIcon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Draws another icon on an icon button. */
export function setIcon(button: HTMLButtonElement, name: IconName, label: string): void {
  if (button.title === label) return;
  button.title = label;
  button.setAttribute("aria-label", label);
  button.replaceChildren(svgIcon(name));
}
