/**
 * Builds the Dockerfile as CI can, without a container engine: buildah with chroot isolation, and a stand-in for
 * the base image where no image registry can be reached. Then checks what is in the image and that it runs.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Buildah } from './buildah.js';
import { makeStandInBase } from './stand-in-base.js';

const PROJECT_ROOT = resolve(import.meta.dirname, '../../..');
const IMAGE = 'localhost/vespid:test';
const STAND_IN_BASE = 'localhost/vespid-base:stand-in';
const IMAGE_REGISTRY = 'https://registry-1.docker.io/v2/';
const REGISTRY_TIMEOUT_MS = 4_000;
const CERTIFICATES = '/etc/ssl/certs';

const EXPECTED_IN_APP = [
  'LICENSE',
  'NOTICE',
  'README.md',
  'dist',
  'engine',
  'node_modules',
  'package.json',
  'policies',
  'signing',
];

/** Any answer will do: the registry wants a token first. */
async function canPullImages(): Promise<boolean> {
  return await fetch(IMAGE_REGISTRY, { signal: AbortSignal.timeout(REGISTRY_TIMEOUT_MS) }).then(
    ({ status }) => status < 500,
    () => false,
  );
}

/** This machine's npm configuration and download cache, for the build's RUN steps alone. */
function npmOfThisMachine(directory: string): string[] {
  const own = join(homedir(), '.npmrc');
  const npmrc = join(directory, 'npmrc');
  const lines = [existsSync(own) ? readFileSync(own, 'utf8') : '', 'prefer-offline=true'];
  const volumes: string[] = [];
  if (existsSync(CERTIFICATES)) {
    lines.push(`cafile=${CERTIFICATES}/ca-certificates.crt`);
    volumes.push('--volume', `${CERTIFICATES}:${CERTIFICATES}:ro`);
  }
  const cache = process.env['npm_config_cache'] ?? join(homedir(), '.npm');
  if (existsSync(cache)) {
    lines.push('cache=/tmp/npm-cache');
    volumes.push('--volume', `${cache}:/tmp/npm-cache`);
  }
  writeFileSync(npmrc, `${lines.join('\n')}\n`, { mode: 0o600 });
  return [...volumes, '--secret', `id=npmrc,src=${npmrc}`];
}

function build(buildah: Buildah, base: string | undefined, directory: string): void {
  const baseArgs = base === undefined ? [] : ['--build-arg', `BASE=${base}`, '--pull-never'];
  buildah.run(
    ...['bud', '--isolation', 'chroot', '--network', 'host', '--format', 'oci'],
    ...[...baseArgs, ...npmOfThisMachine(directory)],
    ...['--file', join(PROJECT_ROOT, 'Dockerfile'), '--ignorefile', join(PROJECT_ROOT, '.dockerignore')],
    ...['--tag', IMAGE, PROJECT_ROOT],
  );
}

/** What ought to be installed without development dependencies, by package-lock.json. */
function productionPackages(): Set<string> {
  const text = readFileSync(join(PROJECT_ROOT, 'package-lock.json'), 'utf8');
  // npm writes this file; `packages` maps an install path to facts about it.
  const { packages } = JSON.parse(text) as { packages: Record<string, { dev?: boolean }> };
  const names = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  return new Set(names.map(([path]) => path.slice('node_modules/'.length)));
}

function installedPackages(modules: string): string[] {
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
    );
}

function checkContent(root: string): void {
  const app = join(root, 'app');
  expectEqual('the content of /app', readdirSync(app).sort(), EXPECTED_IN_APP);
  const expected = productionPackages();
  const foreign = installedPackages(join(app, 'node_modules')).filter((name) => !expected.has(name));
  expectEqual('packages that are not for production', foreign, []);
  const leftovers = ['root/.npmrc', 'root/.npm', 'tmp/npm-cache', 'build', 'app/.npmrc', 'run/secrets/npmrc'];
  const found = leftovers.filter((path) => hasContent(join(root, path)));
  expectEqual('leftovers of the build', found, []);
  const sources = readdirSync(join(app, 'dist'), { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.tsbuildinfo') || path.startsWith('test/'),
  );
  expectEqual('development files in dist', sources, []);
}

/** Whether it exists, other than as the empty folder that a mount leaves behind. */
function hasContent(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    return readdirSync(path).length > 0;
  } catch {
    return true;
  }
}

function checkCommands(buildah: Buildah, container: string): void {
  const main = ['node', '/app/dist/engine/cli/main.js'];
  // package.json of the same tree.
  const { version } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  expectEqual('vespid --version', buildah.execute(container, ...main, '--version').trim(), version);
  const help = buildah.execute(container, ...main, '--help');
  for (const command of ['keygen', 'compile', 'sign', 'verify', 'run', 'doctor']) {
    if (!help.includes(command))
      throw new Error(`vespid --help in the image does not name ${command}:\n${help}`);
  }
}

function expectEqual(what: string, actual: unknown, expected: unknown): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${what}: expected ${right}, found ${left}`);
}

async function main(): Promise<void> {
  const buildah = new Buildah();
  const directory = mkdtempSync(join(tmpdir(), 'vespid-npm-'));
  const remove = (): void => {
    buildah.remove();
    rmSync(directory, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      remove();
      process.exit(130);
    });
  }
  try {
    const pulls = await canPullImages();
    step(pulls ? 'base: from its registry' : 'base: a stand-in of this machine; no image registry answers');
    if (!pulls) makeStandInBase(buildah, STAND_IN_BASE);
    step('building');
    build(buildah, pulls ? undefined : STAND_IN_BASE, directory);
    const container = buildah.from(IMAGE);
    step('checking what is in it');
    checkContent(buildah.mount(container));
    step('running vespid in it');
    checkCommands(buildah, container);
    step('the image is as it should be');
  } finally {
    remove();
  }
}

const startedAtMs = Date.now();

function step(text: string): void {
  process.stdout.write(`image: ${text} (${((Date.now() - startedAtMs) / 1000).toFixed(1)} s)\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`image: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
