// The terminals' colours. They match the page's, which are in style/theme.css.

import type { ITheme } from "@xterm/xterm";

const DARK: ITheme = {
  background: "#12151c",
  foreground: "#d5dae3",
  cursor: "#5eead4",
  cursorAccent: "#12151c",
  selectionBackground: "#2f4858",
  selectionInactiveBackground: "#283442",
  scrollbarSliderBackground: "#ffffff1f",
  scrollbarSliderHoverBackground: "#ffffff33",
  scrollbarSliderActiveBackground: "#ffffff47",
  black: "#2a303c",
  red: "#f07178",
  green: "#9bd18b",
  yellow: "#e7c077",
  blue: "#7aa9f7",
  magenta: "#c594f0",
  cyan: "#62cfd6",
  white: "#c3cad6",
  brightBlack: "#626d80",
  brightRed: "#ff8f94",
  brightGreen: "#b5e6a6",
  brightYellow: "#f7d696",
  brightBlue: "#9dc2ff",
  brightMagenta: "#d9b3ff",
  brightCyan: "#8ae6ec",
  brightWhite: "#f2f5fa",
};

const LIGHT: ITheme = {
  background: "#ffffff",
  foreground: "#24292f",
  cursor: "#0f766e",
  cursorAccent: "#ffffff",
  selectionBackground: "#bfe3df",
  selectionInactiveBackground: "#e0e7e9",
  scrollbarSliderBackground: "#0000001f",
  scrollbarSliderHoverBackground: "#00000033",
  scrollbarSliderActiveBackground: "#00000047",
  black: "#24292f",
  red: "#c4314b",
  green: "#2a7f3f",
  yellow: "#8f6200",
  blue: "#1f63c9",
  magenta: "#8340b8",
  cyan: "#0b7285",
  white: "#6b7480",
  brightBlack: "#57606a",
  brightRed: "#d6455d",
  brightGreen: "#35964e",
  brightYellow: "#a67200",
  brightBlue: "#3a7be0",
  brightMagenta: "#9a57d1",
  brightCyan: "#1389a0",
  brightWhite: "#8c959f",
};

/** The colours for a dark or a light page. */
export function terminalTheme(dark: boolean): ITheme {
  return dark ? DARK : LIGHT;
}

/** The terminals' typeface: what the system has that is made for this. */
export const FONT_FAMILY =
  'ui-monospace, "JetBrains Mono", "SF Mono", Menlo, "Cascadia Mono", Consolas, "DejaVu Sans Mono", monospace';
