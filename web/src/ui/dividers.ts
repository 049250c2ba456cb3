// The gaps between panes, by which they are resized.

import { type Divider, dragged } from "../model/tree.ts";
import { el } from "./dom.ts";

/** No pane gets smaller than this by dragging, in pixels. */
const LEAST_PX = 80;

/** How often the gateway is told while dragging, in milliseconds. */
const TELL_MS = 60;

/** A drag under way or just over. */
export interface Resize {
  /** Child indices from the root to the stack. */
  path: number[];
  ratios: number[];
}

/** What the dividers ask for. */
export interface DividerEvents {
  /** The ratios of a stack now. */
  ratios(path: number[]): number[] | undefined;
  /** To be shown at once. */
  preview(resize: Resize): void;
  /** To be told to the gateway; `last`: the drag is over. */
  resize(resize: Resize, last: boolean): void;
}

/** All dividers of the tab that is shown. */
export class Dividers {
  readonly element = el("div", { class: "dividers" });
  #events: DividerEvents;
  #handles: { element: HTMLElement; divider: Divider }[] = [];

  constructor(events: DividerEvents) {
    this.#events = events;
  }

  /** Puts the dividers in their places. The elements stay: one of them may be held by the pointer. */
  show(dividers: Divider[]): void {
    for (const divider of dividers.slice(this.#handles.length)) this.#add(divider);
    for (const { element } of this.#handles.splice(dividers.length)) element.remove();
    dividers.forEach((divider, index) => {
      const handle = this.#handles[index];
      if (!handle) return;
      handle.divider = divider;
      const { left, top, width, height } = divider.rect;
      handle.element.dataset["orientation"] = divider.orientation;
      Object.assign(handle.element.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    });
  }

  #add(divider: Divider): void {
    const handle = { element: el("div", { class: "divider", attrs: { role: "separator" } }), divider };
    handle.element.addEventListener("pointerdown", (event) => this.#drag(event, handle.element, handle.divider));
    handle.element.addEventListener("dblclick", () => this.#even(handle.divider));
    this.#handles.push(handle);
    this.element.append(handle.element);
  }

  /** Shares the room evenly. */
  #even(divider: Divider): void {
    const ratios = this.#events.ratios(divider.path);
    if (!ratios) return;
    this.#events.resize({ path: divider.path, ratios: ratios.map(() => 1 / ratios.length) }, true);
  }

  #drag(start: PointerEvent, element: HTMLElement, divider: Divider): void {
    const { path, index, orientation, extent } = divider;
    const ratios = this.#events.ratios(path);
    if (start.button !== 0 || !ratios) return;
    start.preventDefault();
    element.setPointerCapture(start.pointerId);
    element.classList.add("dragging");
    const across = orientation === "vertical";
    let told = 0;
    let resize: Resize | undefined;
    const move = (event: PointerEvent): void => {
      const pixels = across ? event.clientX - start.clientX : event.clientY - start.clientY;
      resize = { path, ratios: dragged(ratios, index, pixels / extent, LEAST_PX / extent) };
      this.#events.preview(resize);
      if (event.timeStamp - told < TELL_MS) return;
      told = event.timeStamp;
      this.#events.resize(resize, false);
    };
    const end = (): void => {
      element.classList.remove("dragging");
      element.removeEventListener("pointermove", move);
      element.removeEventListener("lostpointercapture", end);
      if (resize) this.#events.resize(resize, true);
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("lostpointercapture", end);
  }
}
