// The entry point.

import "@xterm/xterm/css/xterm.css";
import "./style/theme.css";
import "./style/page.css";
import "./style/pane.css";
import "./style/dialog.css";
import "./style/roster.css";
import { App } from "./app.ts";

/** The address of a socket beside the page. */
function socketUrl(name: string): string {
  const url = new URL(name, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = "";
  url.hash = "";
  return url.href;
}

new App(document.body, { mux: socketUrl("mux"), nodes: socketUrl("ws") });
