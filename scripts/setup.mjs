// Makes a fresh clone ready: dependencies as locked, then the compiled tree in dist. Quiet when there is
// nothing to do. Plain Node without dependencies; no root needed. `--no-build` leaves the compiling out.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, env, execPath, exit, stderr, versions } from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const oldestNode = [20, 19];

/** Ends this process with a message. */
function fail(message) {
  stderr.write(`setup: ${message}\n`);
  exit(1);
}

function requireNode() {
  const [major = 0, minor = 0] = versions.node.split('.').map(Number);
  const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
  if (isOld) fail(`Vespid needs Node ${oldestNode.join('.')} or newer; this is ${versions.node}`);
}

/** Runs a command with its output shown; ends this process if it fails. */
function run(program, args, failure) {
  // What npm prints goes to standard error: the command that follows may print JSON.
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 'inherit'] });
  if (error !== undefined) fail(`cannot run ${program}: ${error.message}`);
  if (status !== 0) fail(failure);
}

/** Installs what package-lock.json says, unless that was done for this very file. */
function installDependencies() {
  const stamp = join(root, 'node_modules', '.vespid-lock-sha256');
  const lock = readFileSync(join(root, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  stderr.write('setup: installing dependencies\n');
  // Without install scripts: koffi's native part comes prebuilt, as a package of its own.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', args, 'npm could not install the dependencies; its message is above');
  writeFileSync(stamp, digest);
}

requireNode();
installDependencies();
// Before `npm test`, compiling is the first thing that is tested.
const compiles = !argv.includes('--no-build') && env.npm_lifecycle_event !== 'pretest';
if (compiles)
  run(execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-b'], 'the source does not compile');
