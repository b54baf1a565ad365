import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before a registry, so that a test can do something at a chosen request. */
export class BreakingProxy implements AsyncDisposable {
  /** Runs before a request goes on; `METHOD path`. */
  before: (line: string) => Promise<void> = async () => undefined;
  readonly #server: Server;

  private constructor(port: number) {
    this.#server = createServer((incoming, outgoing) => {
      this.#forward(port, incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  /** @param port of the registry on the loopback address */
  static async start(port: number): Promise<BreakingProxy> {
    const proxy = new BreakingProxy(port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get host(): string {
    // listen() on a port gives an address with a port.
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #forward(port: number, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming;
    await this.before(`${method} ${url}`);
    const forwarded = request({ host: '127.0.0.1', port, method, path: url, headers });
    // A registry that is gone looks to the client as it would without us.
    forwarded.on('error', () => outgoing.destroy());
    forwarded.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(forwarded);
  }
}
