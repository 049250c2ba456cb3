// What a page says that stays away until somebody wants it back.

/** Why it stays away. */
export type Farewell =
  /** Somebody had the gateway close its connection. */
  | "dismissed"
  /** Its conversation goes on over another connection. */
  | "superseded"
  /** The gateway does not understand it, and would not the next time. */
  | "misunderstood";

/** What shows in front of the panes. */
export interface FarewellText {
  title: string;
  cause: string;
  hint: string;
  /** The label of the button that ends it. */
  button: string;
}

/** Whether any key ends it. */
export function anyKeyReturns(farewell: Farewell): boolean {
  return farewell !== "misunderstood";
}

/** The words for it. */
export function farewellText(farewell: Farewell): FarewellText {
  switch (farewell) {
    case "dismissed":
      return {
        title: "You were sent away",
        cause: "Somebody closed this page's connection. What runs in the panes goes on.",
        hint: "press any key to reconnect",
        button: "Reconnect",
      };
    case "superseded":
      return {
        title: "Connected elsewhere",
        cause: "What was typed here goes on over another connection.",
        hint: "press any key to go on here",
        button: "Reconnect",
      };
    case "misunderstood":
      return {
        title: "The gateway does not understand this page",
        cause: "It may have been updated since the page was loaded. What runs in the panes goes on.",
        hint: "",
        button: "Reload",
      };
  }
}
