import { connect, createServer, type Server, type Socket } from 'node:net';

/** Passes connections to `[::1]` on to a port of 127.0.0.1. */
export class LoopbackProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      const broker = connect({ host: '127.0.0.1', port: targetPort });
      for (const socket of [client, broker]) {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
        socket.on('error', () => socket.destroy());
      }
      client.pipe(broker).pipe(client);
    });
  }

  /** Undefined where the machine has no IPv6 loopback address. */
  static start(targetPort: number): Promise<LoopbackProxy | undefined> {
    const proxy = new LoopbackProxy(targetPort);
    return new Promise((resolve) => {
      proxy.#server.once('error', () => resolve(undefined));
      proxy.#server.listen(0, '::1', () => resolve(proxy));
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
