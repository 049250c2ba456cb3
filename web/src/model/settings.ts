// What this browser remembers of its user's taste.

/** The text sizes that make sense, in pixels. */
export const FONT_SIZES = { least: 8, usual: 13, most: 32 };

/** `auto` follows the system. */
export type ThemeChoice = "auto" | "light" | "dark";

/** The settings of this browser; the gateway knows nothing of them. */
export interface Settings {
  /** Light or dark. */
  theme: ThemeChoice;
  /** The terminals' text size in pixels. */
  fontSize: number;
  /** Whether the system shows programs' notifications while nobody looks at the page. */
  notify: boolean;
}

/** Reads stored settings; whatever is missing or makes no sense gets its default. */
export function parseSettings(json: string | null): Settings {
  const stored = parseObject(json);
  const theme = stored["theme"];
  return {
    theme: theme === "light" || theme === "dark" ? theme : "auto",
    fontSize: clampFontSize(stored["fontSize"]),
    notify: stored["notify"] === true,
  };
}

/** The nearest sensible text size. */
export function clampFontSize(size: unknown): number {
  if (typeof size !== "number" || !Number.isFinite(size)) return FONT_SIZES.usual;
  return Math.min(Math.max(Math.round(size), FONT_SIZES.least), FONT_SIZES.most);
}

function parseObject(json: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json ?? "{}");
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
