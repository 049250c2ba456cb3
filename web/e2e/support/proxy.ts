// A wire between a page and the gateway that can be cut.

import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { once } from "node:events";

/** Passes connections on to a gateway. */
export class Proxy {
  #server: Server;
  /** Where the gateway listens. */
  #port = 0;
  #pairs = new Set<{ page: Socket; gateway: Socket }>();
  #isCut = false;

  private constructor() {
    this.#server = createServer((page) => this.#accept(page));
  }

  /** A proxy that leads nowhere yet. */
  static async start(): Promise<Proxy> {
    const proxy = new Proxy();
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** Its address, without a path. */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on it leads to the gateway with this address. */
  leadTo(origin: string): void {
    this.#port = Number(new URL(origin).port);
  }

  /** What the gateway says reaches no page any more; what pages say still reaches the gateway. */
  mute(): void {
    for (const { page, gateway } of this.#pairs) {
      gateway.unpipe(page);
      gateway.resume();
    }
  }

  /** Ends all connections, and every new one, until it is mended. */
  cut(): void {
    this.#isCut = true;
    for (const { page, gateway } of this.#pairs) {
      page.destroy();
      gateway.destroy();
    }
  }

  mend(): void {
    this.#isCut = false;
  }

  stop(): void {
    this.cut();
    this.#server.close();
  }

  #accept(page: Socket): void {
    if (this.#isCut) return void page.destroy();
    const gateway = connect(this.#port, "127.0.0.1");
    const pair = { page, gateway };
    this.#pairs.add(pair);
    page.pipe(gateway).pipe(page);
    for (const [socket, other] of [[page, gateway], [gateway, page]] as const) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#pairs.delete(pair);
        other.destroy();
      });
    }
  }
}
