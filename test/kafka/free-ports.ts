import { createServer, type Server } from 'node:net';

/**
 * Below the kernel's ephemeral ports (net.ipv4.ip_local_port_range starts at 32768): a client that keeps trying a
 * port of that range where nobody listens can end up connected to itself and hold the port.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** Ports of the loopback address that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  while (servers.length < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    const server = await tryListen(port);
    if (server !== undefined) servers.push(server);
  }
  return Promise.all(servers.map(closeAndGivePort));
}

function tryListen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function closeAndGivePort(server: Server): Promise<number> {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return new Promise((resolve) => server.close(() => resolve(port)));
}
