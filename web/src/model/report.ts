// Tells what a terminal says by itself from what a person typed, by its shape.

const CSI = "\\x1b\\[";
const STRING_END = "(?:\\x07|\\x1b\\\\)";

const SHAPES = [
  // Focus in and out.
  `${CSI}[IO]`,
  // Mouse: SGR, urxvt, and the old form with three bytes.
  `${CSI}<\\d+;\\d+;\\d+[Mm]`,
  `${CSI}\\d+;\\d+;\\d+M`,
  `${CSI}M[^]{3}`,
  // Device attributes; with a colour scheme or a status also under `n`.
  `${CSI}[?>=][\\d;]*c`,
  `${CSI}\\??[\\d;]*n`,
  // Cursor position.
  `${CSI}\\??\\d+;\\d+(?:;\\d+)?R`,
  // Mode reports.
  `${CSI}\\??\\d+;\\d+\\$y`,
  // Terminal parameters.
  `${CSI}[23];\\d+;\\d+;\\d+;\\d+;\\d+;\\d+x`,
  // Window and cell sizes.
  `${CSI}\\d+(?:;\\d+)*t`,
  // Keyboard protocol flags.
  `${CSI}\\?\\d+u`,
  // Colours, clipboard, titles.
  `\\x1b\\][\\dlL][^\\x07\\x1b]*${STRING_END}`,
  // Settings, capabilities, version.
  `\\x1bP[^\\x1b]*\\x1b\\\\`,
];

const REPORTS = new RegExp(`^(?:${SHAPES.join("|")})+$`);

/**
 * Whether `data` consists of reports only. One key makes such bytes too (F3 with a modifier looks like a cursor
 * position), so what is known to come from a key or a paste is not to be asked about.
 */
export function isReport(data: string): boolean {
  return REPORTS.test(data);
}
