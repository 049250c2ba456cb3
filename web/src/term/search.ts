// Finding text in a terminal's scrollback.

import { type ISearchOptions, SearchAddon } from "@xterm/addon-search";
import type { Terminal } from "@xterm/xterm";

/** How many matches there are, and which one is selected, counted from 0; -1: none, or too many to count. */
export interface Matches {
  index: number;
  count: number;
}

/** How to search. */
export interface SearchMode {
  caseSensitive: boolean;
  regex: boolean;
}

const DECORATIONS = {
  matchBackground: "#a3791f",
  matchOverviewRuler: "#a3791f",
  activeMatchBackground: "#e0a526",
  activeMatchColorOverviewRuler: "#e0a526",
};

/** The search of one terminal. */
export class Search {
  #addon = new SearchAddon();

  constructor(terminal: Terminal, found: (matches: Matches) => void) {
    terminal.loadAddon(this.#addon);
    this.#addon.onDidChangeResults(({ resultIndex, resultCount }) => found({ index: resultIndex, count: resultCount }));
  }

  /** Selects the next match downwards; while typing, the current one may stay. */
  next(text: string, mode: SearchMode, typing: boolean): void {
    this.#addon.findNext(text, { ...options(mode), incremental: typing });
  }

  /** Selects the next match upwards. */
  previous(text: string, mode: SearchMode): void {
    this.#addon.findPrevious(text, options(mode));
  }

  /** Takes the marks away. */
  clear(): void {
    this.#addon.clearDecorations();
  }
}

function options(mode: SearchMode): ISearchOptions {
  return { caseSensitive: mode.caseSensitive, regex: mode.regex, decorations: DECORATIONS };
}
