import { execFileSync } from 'node:child_process';
import { createPrivateKey, type KeyObject, randomUUID, sign, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const ISSUER = 'test issuer';
const SERVICE = 'test registry';
const LIFETIME_SECONDS = 300;

/** The token server of a registry (distribution's "Token Authentication Specification") with users of its own. */
export class TokenServer implements AsyncDisposable {
  /** The scopes that tokens were given for. */
  readonly granted: string[] = [];
  readonly #users: Readonly<Record<string, string>>;
  readonly #key: KeyObject;
  readonly #certificateFile: string;
  readonly #server: Server;

  private constructor(folder: string, users: Readonly<Record<string, string>>) {
    this.#users = users;
    const keyFile = join(folder, 'token.key');
    this.#certificateFile = join(folder, 'token.crt');
    const subject = ['-nodes', '-subj', '/CN=token server', '-days', '2'];
    const newKey = ['-newkey', 'rsa:2048', '-keyout', keyFile, '-out', this.#certificateFile];
    execFileSync('openssl', ['req', '-x509', ...newKey, ...subject], { stdio: 'ignore' });
    this.#key = createPrivateKey(readFileSync(keyFile));
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** @param folder for its key and certificate */
  static async start(folder: string, users: Readonly<Record<string, string>>): Promise<TokenServer> {
    const server = new TokenServer(folder, users);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  /** What the registry has to know. */
  get description() {
    // listen() on a port gives an address with a port.
    const { port } = this.#server.address() as AddressInfo;
    const realm = `http://127.0.0.1:${port}/token`;
    return { realm, service: SERVICE, issuer: ISSUER, certificateFile: this.#certificateFile };
  }

  /** A docker config with one login. */
  writeLogin(file: string, registry: string, user: string, password: string): void {
    const auth = Buffer.from(`${user}:${password}`).toString('base64');
    writeFileSync(file, JSON.stringify({ auths: { [registry]: { auth } } }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [user = '', password] = Buffer.from(
      request.headers.authorization?.replace('Basic ', '') ?? '',
      'base64',
    )
      .toString()
      .split(':');
    if (password === undefined || this.#users[user] !== password) {
      response.writeHead(401).end();
      return;
    }
    const scope = new URL(request.url ?? '/', 'http://server').searchParams.get('scope') ?? '';
    this.granted.push(scope);
    response.end(JSON.stringify({ token: this.#tokenFor(user, scope) }));
  }

  /** RFC 7515, with the certificate beside the signature (x5c), which the registry checks against its bundle. */
  #tokenFor(user: string, scope: string): string {
    const [type = '', name = '', actions = ''] = scope.split(':');
    const now = Math.floor(Date.now() / 1000);
    const certificate = new X509Certificate(readFileSync(this.#certificateFile)).raw.toString('base64');
    const header = { typ: 'JWT', alg: 'RS256', x5c: [certificate] };
    const claims = {
      ...{ iss: ISSUER, sub: user, aud: SERVICE, jti: randomUUID() },
      ...{ iat: now, nbf: now - 10, exp: now + LIFETIME_SECONDS },
      access: [{ type, name, actions: actions.split(',') }],
    };
    const signed = [header, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    return `${signed}.${sign('sha256', Buffer.from(signed), this.#key).toString('base64url')}`;
  }
}
