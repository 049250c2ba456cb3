// The entry point.

import "@xterm/xterm/css/xterm.css";
import "./style/theme.css";
import "./style/page.css";
import "./style/pane.css";
import "./style/dialog.css";
import { App } from "./app.ts";

const mux = new URL("mux", document.baseURI);
mux.protocol = mux.protocol.replace("http", "ws");
mux.search = "";
mux.hash = "";
new App(document.body, mux.href);
