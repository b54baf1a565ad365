import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP connection over the loopback. */
export class ConnectedSockets implements Disposable {
  private constructor(
    private readonly server: Server,
    private readonly client: Socket,
  ) {}

  static async open(): Promise<ConnectedSockets> {
    const server = createServer((socket) => socket.resume().on('error', () => {}));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    const client = connect(address.port, '127.0.0.1');
    client.on('error', () => {});
    await once(client, 'connect');
    return new ConnectedSockets(server, client);
  }

  get clientFd(): number {
    // Node keeps the descriptor of a socket in its handle, and documents no other way to it.
    return (this.client as unknown as { _handle: { fd: number } })._handle.fd;
  }

  send(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.client.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  [Symbol.dispose](): void {
    this.client.destroy();
    this.server.close();
  }
}
