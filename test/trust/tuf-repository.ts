import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { canonicalJson } from '../../signing/documents/canonical-json.js';

const SPEC_VERSION = '1.0.31';
const DAY_MS = 86_400_000;

/** One key for all roles of a repository, as TUF writes it (specification section 4.2). */
class RepositoryKey {
  readonly #key: KeyObject;
  readonly id: string;
  readonly document: object;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.#key = privateKey;
    const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
    this.document = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: raw.toString('hex') } };
    this.id = sha256(canonicalJson(this.document));
  }

  sign(signed: object): string {
    const sig = sign(null, canonicalJson(signed), this.#key).toString('hex');
    return JSON.stringify({ signed, signatures: [{ keyid: this.id, sig }] });
  }
}

/** A TUF repository on loopback with one target, whose files can be replaced before they are asked for. */
export class TufRepository implements AsyncDisposable {
  readonly files = new Map<string, string>();
  /** The first root, for clients to start from. */
  readonly root: string;
  readonly #server: Server;

  private constructor(target: string, expiresInDays: number) {
    const key = new RepositoryKey();
    const common = (type: string) => ({
      _type: type,
      version: 1,
      spec_version: SPEC_VERSION,
      expires: new Date(Date.now() + expiresInDays * DAY_MS).toISOString().replace(/\.\d+Z$/, 'Z'),
    });
    const role = { keyids: [key.id], threshold: 1 };
    const roles = { root: role, timestamp: role, snapshot: role, targets: role };
    const keys = { [key.id]: key.document };
    this.root = key.sign({ ...common('root'), consistent_snapshot: false, keys, roles });
    const description = { length: Buffer.byteLength(target), hashes: { sha256: sha256(target) } };
    const targets = { 'trusted_root.json': description };
    const only = (name: string) => ({ meta: { [name]: { version: 1 } } });
    this.files.set('/targets.json', key.sign({ ...common('targets'), targets }));
    this.files.set('/snapshot.json', key.sign({ ...common('snapshot'), ...only('targets.json') }));
    this.files.set('/timestamp.json', key.sign({ ...common('timestamp'), ...only('snapshot.json') }));
    this.files.set('/targets/trusted_root.json', target);
    this.#server = createServer(({ url = '' }, response) => {
      const file = this.files.get(url);
      response.writeHead(file === undefined ? 404 : 200).end(file);
    });
  }

  static async start(target: string, expiresInDays = 1): Promise<TufRepository> {
    const repository = new TufRepository(target, expiresInDays);
    await new Promise<void>((resolve) => repository.#server.listen(0, '127.0.0.1', resolve));
    return repository;
  }

  get url(): string {
    // A TCP server has an address of this form while it listens.
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
