import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { MAIN, policyText, type RunResult, Workspace } from '../cli/run-vespid.js';
import type { SigstoreServer } from '../signers/sigstore-server.js';

/** Prints the CommonJS modules that were loaded, as the last line of standard error. */
const PRINT_MODULES = `
import { createRequire } from 'node:module';
process.on('exit', () => console.error(JSON.stringify(Object.keys(createRequire('/').cache))));
`;

/** An identity as a trust policy has it, without its id. */
export type IdentityTerms = Readonly<Record<string, string>>;

/** A folder with a policy to sign and the trusted root of a Sigstore instance on loopback. */
export class KeylessWorkspace extends Workspace {
  readonly bundle = this.path('starter.bundle');
  readonly #server: SigstoreServer;

  constructor(server: SigstoreServer) {
    super();
    this.#server = server;
    writeFileSync(this.path('policy.yaml'), policyText({ name: 'sample' }));
    writeFileSync(this.path('trusted_root.json'), JSON.stringify(server.sigstore.trustedRoot));
  }

  /** Runs the compiled program as users do, while this process serves. */
  async run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<RunResult> {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: this.directory,
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { exitCode, stdout, stderr };
  }

  sign(environment: Readonly<Record<string, string>>, ...more: readonly string[]): Promise<RunResult> {
    const { url } = this.#server;
    const inputs = more.includes('--add') ? [] : ['policy.yaml', '--out', this.bundle];
    const services = ['--keyless', '--fulcio-url', url, '--rekor-url', url];
    return this.run(['sign', ...inputs, ...services, '--json', ...more], environment);
  }

  /** Verifies under a trust policy that asks for every one of these identities, and of the keys in lines of YAML. */
  verify(identities: readonly IdentityTerms[], ...keyLines: readonly string[]): Promise<RunResult> {
    const rows = identities.map((terms, index) => `  - ${JSON.stringify({ id: `id-${index}`, ...terms })}`);
    const threshold = identities.length + keyLines.filter((line) => line.includes('publicKey')).length;
    const trust = [
      ...['apiVersion: vespid.dev/v1', 'kind: TrustPolicy', `threshold: ${threshold}`],
      ...['sigstore: { trustedRoot: trusted_root.json }', 'identities:', ...rows, ...keyLines],
    ];
    writeFileSync(this.path('trust.yaml'), trust.join('\n'));
    return this.run(['verify', this.bundle, '--trust', 'trust.yaml', '--json']);
  }

  /** Paths of the CommonJS modules that a command loads, which all of Sigstore's are. */
  async modulesOf(args: readonly string[]): Promise<readonly string[]> {
    const url = `data:text/javascript;base64,${Buffer.from(PRINT_MODULES).toString('base64')}`;
    const { stderr } = await this.run(args, { NODE_OPTIONS: `--import=${url}` });
    const modules: unknown = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '');
    if (Array.isArray(modules)) return modules.map(String);
    throw new Error(`no list of modules: ${stderr}`);
  }

  /** The only keyless attestation of the bundle, as JSON. */
  attestation(): unknown {
    const blobs = this.path('starter.bundle', 'blobs', 'sha256');
    const found = readdirSync(blobs)
      .map((name) => readFileSync(`${blobs}/${name}`, 'utf8'))
      .filter((blob) => blob.startsWith('{"dsseEnvelope"') && blob.includes('"certificate"'));
    if (found[0] === undefined || found.length > 1) throw new Error(`${found.length} keyless attestations`);
    return JSON.parse(found[0]);
  }
}
