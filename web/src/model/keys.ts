// The keyboard: which chord runs which command. Chords use Ctrl+Shift, which terminals cannot tell from Ctrl,
// and leave out what browsers keep for themselves (T, N, W, Q and, in Firefox, P).

/** Everything that can be done by key, or from the palette. */
export type Command =
  | "new-tab"
  | "close-tab"
  | "next-tab"
  | "previous-tab"
  | "rename-tab"
  | "split-right"
  | "split-down"
  | "close-pane"
  | "zoom-pane"
  | "rename-pane"
  | `focus-${"left" | "right" | "up" | "down"}`
  | `grow-${"left" | "right" | "up" | "down"}`
  | "pane-to-new-tab"
  | "restart-pane"
  | "new-session"
  | "switch-session"
  | "find"
  | "copy"
  | "paste"
  | "clear-scrollback"
  | "larger-text"
  | "smaller-text"
  | "default-text"
  | "toggle-theme"
  | "toggle-notifications"
  | "nodes"
  | "palette"
  | "help"
  | `tab-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}`;

/** A key with its modifiers. Letters are matched by what they print, other keys by their place. */
interface Chord {
  ctrl: boolean;
  shift: boolean;
  alt: boolean;
  /** A lower-case letter, or a `KeyboardEvent.code`. */
  key: string;
}

/** A command as the help and the palette list it. */
export interface Binding {
  command: Command;
  /** What it does. */
  label: string;
  /** Under which heading. */
  group: "Tabs" | "Panes" | "Sessions" | "Text" | "Page";
  /** Its keys, for people; empty if it has none. */
  keys: string;
}

/** The part of a keyboard event that matters. */
export type KeyPress = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "shiftKey" | "altKey" | "metaKey">;

type Row = [Command, Binding["group"], string, string?];

/** In the order of the help. A chord is written as people read it; arrows stand for all four directions. */
const ROWS: Row[] = [
  ["new-tab", "Tabs", "New tab", "Ctrl+Shift+Enter"],
  ["next-tab", "Tabs", "Next tab", "Ctrl+Shift+]"],
  ["previous-tab", "Tabs", "Previous tab", "Ctrl+Shift+["],
  ["rename-tab", "Tabs", "Rename tab", "Ctrl+Shift+Y"],
  ["close-tab", "Tabs", "Close tab", "Ctrl+Shift+Backspace"],
  ["split-right", "Panes", "Split right", "Ctrl+Shift+E"],
  ["split-down", "Panes", "Split down", "Ctrl+Shift+O"],
  ["zoom-pane", "Panes", "Zoom pane, or back", "Ctrl+Shift+Z"],
  ["rename-pane", "Panes", "Rename pane", "Ctrl+Shift+R"],
  ["close-pane", "Panes", "Close pane", "Ctrl+Shift+X"],
  ["pane-to-new-tab", "Panes", "Move pane to a new tab", "Ctrl+Shift+B"],
  ["restart-pane", "Panes", "Restart a disconnected pane"],
  ["switch-session", "Sessions", "Switch session", "Ctrl+Shift+S"],
  ["new-session", "Sessions", "New session"],
  ["find", "Text", "Find in scrollback", "Ctrl+Shift+F"],
  ["copy", "Text", "Copy selection", "Ctrl+Shift+C"],
  ["paste", "Text", "Paste", "Ctrl+Shift+V"],
  ["clear-scrollback", "Text", "Clear this view's scrollback"],
  ["larger-text", "Text", "Larger text", "Ctrl+Shift+="],
  ["smaller-text", "Text", "Smaller text", "Ctrl+Shift+-"],
  ["default-text", "Text", "Default text size", "Ctrl+Shift+0"],
  ["palette", "Page", "Command palette", "Ctrl+Shift+K"],
  ["nodes", "Page", "Nodes", "Ctrl+Shift+H"],
  ["toggle-theme", "Page", "Light or dark", "Ctrl+Shift+L"],
  ["toggle-notifications", "Page", "System notifications, on or off"],
  ["help", "Page", "Keyboard help", "Ctrl+Shift+/"],
];

const DIRECTIONS = ["left", "right", "up", "down"] as const;
const DIGITS = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

const CODES: Record<string, string> = {
  "]": "BracketRight",
  "[": "BracketLeft",
  "=": "Equal",
  "-": "Minus",
  "/": "Slash",
  "0": "Digit0",
};

/** The commands that have a line of their own in the palette and the help. */
export function bindings(): Binding[] {
  return ROWS.map(([command, group, label, keys]) => ({ command, group, label, keys: keys ?? "" }));
}

/** Families of chords, for the help only. `mac`: Option with an arrow moves by words there. */
export function chordFamilies(mac: boolean): Omit<Binding, "command">[] {
  return [
    { group: "Tabs", label: "Go to tab 1 to 9", keys: "Ctrl+Shift+1…9" },
    { group: "Panes", label: "Move the focus", keys: mac ? "Ctrl+Alt+Arrows" : "Alt+Arrows" },
    { group: "Panes", label: "Move a pane's edge", keys: "Ctrl+Shift+Arrows" },
  ];
}

/** The command of a key press, if it is one. */
export function commandFor(press: KeyPress, mac: boolean): Command | undefined {
  if (press.metaKey) return undefined;
  return chords(mac).find(([chord]) => matches(chord, press))?.[1];
}

function matches(chord: Chord, press: KeyPress): boolean {
  if (chord.ctrl !== press.ctrlKey || chord.shift !== press.shiftKey || chord.alt !== press.altKey) return false;
  if (chord.key.length > 1) return chord.key === press.code;
  // Layouts that print no Latin letters still have the keys.
  const printed = /^[a-z]$/i.test(press.key) ? press.key.toLowerCase() : press.code.replace(/^Key/, "").toLowerCase();
  return chord.key === printed;
}

function chords(mac: boolean): [Chord, Command][] {
  const all: [Chord, Command][] = [];
  for (const [command, , , keys] of ROWS) {
    if (keys !== undefined) all.push([parse(keys), command]);
  }
  for (const direction of DIRECTIONS) {
    const key = `Arrow${direction[0]?.toUpperCase()}${direction.slice(1)}`;
    all.push([{ ctrl: mac, shift: false, alt: true, key }, `focus-${direction}`]);
    all.push([{ ctrl: true, shift: true, alt: false, key }, `grow-${direction}`]);
  }
  for (const digit of DIGITS) {
    all.push([{ ctrl: true, shift: true, alt: false, key: `Digit${digit}` }, `tab-${digit}`]);
  }
  return all;
}

function parse(keys: string): Chord {
  const parts = keys.split("+");
  const name = parts.at(-1) ?? "";
  const key = CODES[name] ?? (name.length === 1 ? name.toLowerCase() : name);
  return { ctrl: parts.includes("Ctrl"), shift: parts.includes("Shift"), alt: parts.includes("Alt"), key };
}
