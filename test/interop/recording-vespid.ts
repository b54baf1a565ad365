import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RecordedCall {
  readonly args: readonly string[];
  /** Of the environment what CI scripts are to hand over, or to keep back. */
  readonly environment: Readonly<Record<string, string>>;
  /** The Docker configuration that the call found, if it was not the user's own. */
  readonly dockerConfig?: string;
}

export const RECORDED_DIGEST = `sha256:${'c0'.repeat(32)}`;

const SCRIPT = `
import { appendFileSync, readFileSync } from 'node:fs';
const names = ['VESPID_SIGNING_KEY', 'VESPID_PASSPHRASE', 'REGISTRY_PASSWORD'];
const { env, argv } = process;
const environment = Object.fromEntries(names.filter((name) => env[name]).map((name) => [name, env[name]]));
const dockerConfig = env.DOCKER_CONFIG ? readFileSync(env.DOCKER_CONFIG + '/config.json', 'utf8') : undefined;
appendFileSync(new URL('calls', import.meta.url), JSON.stringify({ args: argv.slice(2), environment, dockerConfig }) + '\\n');
if (argv[2] === 'inspect') console.log(JSON.stringify({ digest: '${RECORDED_DIGEST}' }));
if (argv.includes('--fail')) process.exit(3);
`;

/** Stands in for vespid, and tells how it was called. */
export class RecordingVespid implements Disposable {
  readonly #root = mkdtempSync(join(tmpdir(), 'vespid-recording-'));
  /** An empty checkout. */
  readonly workspace = join(this.#root, 'work');

  constructor() {
    mkdirSync(this.workspace);
    writeFileSync(join(this.#root, 'vespid.mjs'), SCRIPT);
    writeFileSync(join(this.#root, 'calls'), '');
  }

  /** The command line that runs it. */
  get command(): string {
    return `${process.execPath} ${join(this.#root, 'vespid.mjs')}`;
  }

  calls(): RecordedCall[] {
    const lines = readFileSync(join(this.#root, 'calls'), 'utf8').split('\n').filter(Boolean);
    // What SCRIPT writes.
    return lines.map((line) => JSON.parse(line) as RecordedCall);
  }

  /** The calls of one command of vespid. */
  callsOf(name: string): RecordedCall[] {
    return this.calls().filter(({ args }) => args[0] === name);
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** What would leave a file behind if a script ever took it for code. */
export const HOSTILE_TEXTS: readonly string[] = [
  '"; touch pwned; "',
  "'; touch pwned; '",
  '$(touch pwned)',
  '`touch pwned`',
  '$IFS; touch pwned',
  '*',
  '-rf',
  'a b\tc',
  '\\',
];
