import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../kafka/free-ports.js';

const START_TIMEOUT_MS = 20_000;
const POLL_MS = 50;

/** None may outlive the tests. */
const RUNNING = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of RUNNING) child.kill('SIGKILL');
});

export interface RegistryOptions {
  /** Lines of an htpasswd file (bcrypt); absent: everybody may do everything. */
  readonly htpasswd?: string;
  readonly tls?: { readonly keyFile: string; readonly certificateFile: string };
  /** The token server that a client is sent to, and the file of the certificate that vouches for its key. */
  readonly token?: {
    readonly realm: string;
    readonly service: string;
    readonly issuer: string;
    readonly certificateFile: string;
  };
}

/** Debian's docker-registry (2.8: without the referrers API) on a loopback port, its content in a temporary folder. */
export class DockerRegistry implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #options: RegistryOptions;
  #process: ChildProcess | undefined;

  private constructor(port: number, options: RegistryOptions) {
    this.port = port;
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), 'vespid-registry-'));
  }

  /** Resolves when the registry answers. */
  static async start(options: RegistryOptions = {}): Promise<DockerRegistry> {
    const [port = 0] = await freePorts(1);
    const registry = new DockerRegistry(port, options);
    try {
      await registry.start();
    } catch (error) {
      await registry[Symbol.asyncDispose]();
      throw error;
    }
    return registry;
  }

  /** `127.0.0.1:port`, what a reference starts with. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** What the registry wrote, one line for each request. */
  get log(): string {
    return readFileSync(join(this.#folder, 'registry.log'), 'utf8');
  }

  /** Starts it again on the same port, with what it had. */
  async start(): Promise<void> {
    const configuration = join(this.#folder, 'config.yml');
    writeFileSync(configuration, this.#configure());
    const log = openSync(join(this.#folder, 'registry.log'), 'a');
    const child = spawn('docker-registry', ['serve', configuration], { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#process = child;
    RUNNING.add(child);
    child.once('exit', () => RUNNING.delete(child));
    const failed = once(child, 'error').then(([error]) => Promise.reject(error));
    await Promise.race([this.#untilReady(child), failed]);
  }

  /** SIGKILL, so that nobody waiting gets an answer. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** JSON is YAML. */
  #configure(): string {
    const { htpasswd, token, tls } = this.#options;
    const passwords = join(this.#folder, 'htpasswd');
    if (htpasswd !== undefined) writeFileSync(passwords, htpasswd);
    const auth = {
      ...(htpasswd === undefined ? {} : { htpasswd: { realm: 'test', path: passwords } }),
      ...(token === undefined
        ? {}
        : {
            token: {
              realm: token.realm,
              service: token.service,
              issuer: token.issuer,
              rootcertbundle: token.certificateFile,
            },
          }),
    };
    return JSON.stringify({
      version: 0.1,
      log: { level: 'info' },
      storage: { filesystem: { rootdirectory: join(this.#folder, 'data') }, delete: { enabled: true } },
      http: {
        addr: this.host,
        ...(tls === undefined ? {} : { tls: { key: tls.keyFile, certificate: tls.certificateFile } }),
      },
      ...(Object.keys(auth).length === 0 ? {} : { auth }),
    });
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
      // With TLS it answers plain http with status 400.
      const answered = await fetch(`http://${this.host}/v2/`).then(
        () => true,
        () => false,
      );
      if (answered) return;
      await sleep(POLL_MS);
    }
    throw new Error(
      `docker-registry on ${this.host} did not start; its log ends with:\n${this.log.slice(-4000)}`,
    );
  }
}
