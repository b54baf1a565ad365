// The test command: every stage, then one closing line with the sum. `--only a,b` and `--skip a,b` choose stages.
// With CI=true nothing may be left out: a stage that cannot run and a test that skips itself are failures.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { arch, release, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process, { argv, env, execPath, exit, getuid, stderr, stdout, versions } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const isCi = env.CI === 'true';
const isRoot = getuid?.() === 0;
const tsc = ['node_modules/typescript/bin/tsc', '-b'];

/** The header files that tests compile against; found by path as tools are by name. */
const libbpfHeader = '/usr/include/bpf/libbpf.h';
const kernelHeader = '/usr/include/linux/bpf.h';

/** The Debian package that brings a tool. */
const packageOf = {
  [libbpfHeader]: 'libbpf-dev',
  [kernelHeader]: 'linux-libc-dev',
  'qemu-system-x86_64': 'qemu-system-x86',
  bpftool: 'bpftool',
  clang: 'clang',
  'clang-19': 'clang-19',
  'llvm-mc-19': 'llvm-19',
  'llvm-strip-19': 'llvm-19',
  python3: 'python3',
  xz: 'xz-utils',
  zstd: 'zstd',
  buildah: 'buildah',
  'docker-registry': 'docker-registry',
  htpasswd: 'apache2-utils',
  java: 'default-jdk-headless',
  jq: 'jq',
  kcat: 'kcat',
  mvn: 'maven',
  openssl: 'openssl',
  readelf: 'binutils',
  script: 'bsdutils',
  'ssh-agent': 'openssh-client',
  shellcheck: 'shellcheck',
  xmllint: 'libxml2-utils',
  skopeo: 'skopeo',
};

/** In order. `run` takes a folder for its reports and gives counts. */
const stages = [
  { name: 'types', run: () => check(tsc) },
  { name: 'generated', run: () => check(['scripts/generate.mjs', '--check']) },
  {
    name: 'lint',
    run: () => check(['node_modules/@biomejs/biome/bin/biome', 'check', '--max-diagnostics=200', '.']),
  },
  {
    name: 'unit',
    tools: ['openssl', 'bpftool', 'clang', 'clang-19', 'llvm-mc-19', libbpfHeader, kernelHeader],
    run: (reports) => vitest('unit', reports),
  },
  // One seed always the same, so that a fault shows at once who brought it in, and one that looks for new ones.
  {
    name: 'fuzz',
    tools: ['clang-19', kernelHeader, libbpfHeader],
    run: () => check(['dist/test/fuzz/main.js', '--seed', '1', '--seed', 'random']),
  },
  {
    name: 'host',
    tools: ['bpftool', 'clang', 'clang-19', libbpfHeader, kernelHeader],
    obstacle: hostObstacle,
    run: (reports) => vitest('host', reports),
  },
  // Other implementations of the formats and protocols that we speak.
  {
    name: 'interop',
    tools: [
      'openssl',
      'jq',
      'readelf',
      'script',
      'ssh-agent',
      'docker-registry',
      'htpasswd',
      'skopeo',
      'shellcheck',
      'xmllint',
    ],
    run: (reports) => vitest('interop', reports),
  },
  { name: 'kafka', tools: ['java', 'mvn', 'kcat'], run: (reports) => vitest('kafka', reports) },
  {
    name: 'vm',
    tools: ['qemu-system-x86_64', 'bpftool', 'clang-19', 'xz', libbpfHeader, kernelHeader],
    run: (reports) => reporting(['dist/test/vm/main.js', '--all'], join(reports, 'vm.json')),
  },
  {
    name: 'peers',
    tools: [
      'qemu-system-x86_64',
      'bpftool',
      'clang-19',
      'llvm-strip-19',
      'python3',
      'xz',
      'zstd',
      kernelHeader,
    ],
    run: (reports) => reporting(['dist/test/peers/main.js'], join(reports, 'peers.json')),
  },
  {
    name: 'image',
    tools: ['buildah'],
    obstacle: rootObstacle,
    run: () => check(['dist/test/package/build-image.js']),
  },
];

/** Runs a node script with its output shown, and gives its exit code. */
function node(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(execPath, args, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      // Some tools colour a log because CI is set.
      env: stdout.isTTY === true ? env : { ...env, NO_COLOR: '1' },
    });
    const stop = () => child.kill('SIGTERM');
    process.once('SIGTERM', stop);
    child.on('error', reject);
    child.on('close', (code) => {
      process.removeListener('SIGTERM', stop);
      resolve(code ?? 1);
    });
  });
}

/** A stage that is one test by itself. */
async function check(args) {
  return (await node(args)) === 0
    ? { passed: 1, failed: 0, skipped: 0 }
    : { passed: 0, failed: 1, skipped: 0 };
}

async function vitest(project, reports) {
  const outputFile = join(reports, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${outputFile}`];
  const code = await node(['node_modules/vitest/vitest.mjs', 'run', '--project', project, ...reporters]);
  if (!existsSync(outputFile)) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(readFileSync(outputFile, 'utf8'));
  // A file that cannot even be imported holds no test that could fail.
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = report.numFailedTests + brokenFiles.length;
  return {
    passed: report.numPassedTests,
    // Errors outside any test make vitest fail, too.
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** A script of ours that counts its tests itself. */
async function reporting(args, outputFile) {
  const code = await node([...args, '--json', outputFile]);
  if (!existsSync(outputFile)) return { passed: 0, failed: 1, skipped: 0 };
  const { passed, failed, skipped } = JSON.parse(readFileSync(outputFile, 'utf8'));
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed, skipped };
}

function rootObstacle() {
  return isRoot ? undefined : 'needs root';
}

/** Why this machine cannot run the tests on its own kernel, if it cannot. */
function hostObstacle() {
  const obstacle = rootObstacle();
  if (obstacle !== undefined) return obstacle;
  const { status } = spawnSync(findTool('bpftool'), ['prog', 'show'], { stdio: 'ignore' });
  return status === 0 ? undefined : 'this machine does not let root use bpf(2)';
}

/** @param name of a command, or the path of a file */
function findTool(name) {
  if (name.startsWith('/')) return existsSync(name) ? name : undefined;
  const directories = [...(env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
}

function missingTools(stage) {
  return (stage.tools ?? []).filter((tool) => findTool(tool) === undefined);
}

/** Installs what the chosen stages lack, where that is possible; what is missing after it decides. */
function installTools(chosen) {
  const packages = [...new Set(chosen.flatMap(missingTools).map((tool) => packageOf[tool]))];
  if (packages.length === 0 || !isRoot || findTool('apt-get') === undefined) return;
  stdout.write(`installing ${packages.join(' ')}\n`);
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  spawnSync('apt-get', ['-q', 'update'], options);
  spawnSync('apt-get', ['-q', 'install', '-y', '--no-install-recommends', ...packages], options);
}

/** Why a stage cannot run here, if it cannot. */
function obstacleTo(stage) {
  const missing = missingTools(stage);
  if (missing.length === 0) return stage.obstacle?.();
  const packages = missing.map((tool) => packageOf[tool]).join(' ');
  return `${missing.join(', ')} not found (apt-get install ${packages})`;
}

/** Runs one stage, or says why not, and gives its row of the summary. */
async function runStage(stage, reports) {
  const obstacle = obstacleTo(stage);
  if (obstacle !== undefined) {
    const counts = { passed: 0, failed: isCi ? 1 : 0, skipped: isCi ? 0 : 1 };
    return { name: stage.name, counts, seconds: 0, note: `could not run: ${obstacle}` };
  }
  stdout.write(`\n=== ${stage.name}\n`);
  const startedAtMs = Date.now();
  const counts = await stage.run(reports);
  const seconds = (Date.now() - startedAtMs) / 1000;
  if (!isCi || counts.skipped === 0) return { name: stage.name, counts, seconds };
  const failed = counts.failed + counts.skipped;
  const note = `${counts.skipped} skipped themselves, which is a failure in CI`;
  return { name: stage.name, counts: { passed: counts.passed, failed, skipped: 0 }, seconds, note };
}

function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** The stages that the command line asks for. */
function chooseStages() {
  const { values } = parseArgs({
    args: argv.slice(2),
    options: { only: { type: 'string' }, skip: { type: 'string' } },
  });
  const names = stages.map(({ name }) => name);
  const read = (text) => text?.split(',').filter((name) => name !== '');
  const only = read(values.only) ?? names;
  const skip = read(values.skip) ?? [];
  const unknown = [...only, ...skip].find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`no stage ${unknown}; there are ${names.join(', ')}`);
  return stages.filter(({ name }) => only.includes(name) && !skip.includes(name));
}

async function main() {
  const chosen = chooseStages();
  stdout.write(
    `vespid tests on Linux ${release()} ${arch()}, node ${versions.node}: ` +
      `${chosen.map(({ name }) => name).join(', ')}${isCi ? ' (CI)' : ''}\n`,
  );
  installTools(chosen);
  // The later stages run what is in dist.
  if (!chosen.some(({ name }) => name === 'types')) await node(tsc);
  const reports = mkdtempSync(join(tmpdir(), 'vespid-test-'));
  const rows = [];
  try {
    for (const stage of chosen) rows.push(await runStage(stage, reports));
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
  stdout.write('\n');
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, counts, seconds, note } of rows) {
    for (const key of Object.keys(total)) total[key] += counts[key];
    const suffix = note === undefined ? '' : `; ${note}`;
    stdout.write(`${name.padEnd(10)} ${describe(counts)} in ${seconds.toFixed(1)} s${suffix}\n`);
  }
  stdout.write(`${describe(total)}\n`);
  return total.failed === 0 ? 0 : 1;
}

try {
  exit(await main());
} catch (error) {
  stderr.write(`test: ${error.message}\n`);
  exit(2);
}
