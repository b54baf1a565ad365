import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { delimiter, join } from 'node:path';

/**
 * A small, harmless intrusion, played by child processes inside the demo's own cgroup. It touches only files that
 * the demo made and a loopback port that the demo listens on.
 */
export interface Step {
  readonly title: string;
  /** The policy of the library that is about this. */
  readonly policy: string;
  /** Plays the step, and says whether what the intruder wanted really came about. */
  readonly play: (stage: Stage) => Promise<StepOutcome>;
}

export interface StepOutcome {
  readonly succeeded: boolean;
  /** What the intruder's process saw. */
  readonly observed: string;
}

/** Where the steps play. */
export interface Stage {
  readonly cgroup: string;
  readonly workspace: string;
  readonly sharedMemory: string;
  readonly server: Server;
}

/** A port of the library's `suspicious-connect` policy; the listener is on loopback. */
const REVERSE_SHELL_PORT = 4444;
const SECRET = 'root:$6$demo$not-a-real-hash:20000:0:99999:7:::\n';
const STEP_TIMEOUT_MS = 10_000;

export async function openStage(cgroup: string, workspace: string): Promise<Stage> {
  mkdirSync(join(workspace, 'etc'));
  writeFileSync(join(workspace, 'etc', 'shadow'), SECRET);
  mkdirSync(join(workspace, '.ssh'));
  const sharedMemory = existsSync('/dev/shm') ? mkdtempSync('/dev/shm/vespid-demo-') : workspace;
  return { cgroup, workspace, sharedMemory, server: await listen() };
}

export function closeStage(stage: Stage): void {
  stage.server.close();
  rmSync(stage.sharedMemory, { recursive: true, force: true });
}

/** Listens so that a connection which is not refused really succeeds; a taken port serves as well. */
function listen(): Promise<Server> {
  const server = createServer((socket) => socket.end());
  return new Promise((resolve) => {
    server.once('error', () => resolve(server));
    server.listen(REVERSE_SHELL_PORT, '127.0.0.1', () => resolve(server));
  });
}

export const STEPS: readonly Step[] = [
  {
    title: 'run a program from a temporary directory',
    policy: 'exec-from-temporary-directory',
    play: async (stage) => {
      const program = join(stage.workspace, 'touch');
      const marker = join(stage.workspace, 'dropped');
      copyFileSync(executable('touch'), program);
      const result = await runInside(stage, [program, marker]);
      return { succeeded: existsSync(marker), observed: result };
    },
  },
  {
    title: 'read a decoy credential file, etc/shadow',
    policy: 'credential-files',
    play: async (stage) => {
      const stolen = join(stage.workspace, 'stolen');
      const result = await runInside(stage, ['cat', join(stage.workspace, 'etc', 'shadow')], stolen);
      return { succeeded: readFileSync(stolen, 'utf8') === SECRET, observed: result };
    },
  },
  {
    title: 'execute a file from /dev/shm',
    policy: 'exec-from-memory-filesystem',
    play: async (stage) => {
      const program = join(stage.sharedMemory, 'touch');
      const marker = join(stage.workspace, 'executed');
      copyFileSync(executable('touch'), program);
      const result = await runInside(stage, [program, marker]);
      return { succeeded: existsSync(marker), observed: result };
    },
  },
  {
    title: 'add a key to .ssh/authorized_keys',
    policy: 'persistence-files',
    play: async (stage) => {
      const keys = join(stage.workspace, '.ssh', 'authorized_keys');
      const result = await runInside(stage, ['touch', keys]);
      return { succeeded: existsSync(keys), observed: result };
    },
  },
  {
    title: `connect to 127.0.0.1:${REVERSE_SHELL_PORT}`,
    policy: 'suspicious-connect',
    play: async (stage) => {
      const marker = join(stage.workspace, 'connected');
      const script = `
        require('node:net').connect(${REVERSE_SHELL_PORT}, '127.0.0.1')
          .on('connect', () => { require('node:fs').writeFileSync(${JSON.stringify(marker)}, ''); process.exit(0); })
          .on('error', (error) => { console.error(error.code); process.exit(1); });`;
      const result = await runInside(stage, [process.execPath, '-e', script]);
      return { succeeded: existsSync(marker), observed: result };
    },
  },
];

/** The file that a shell would run for the name. */
function executable(name: string): string {
  const directories = (process.env['PATH'] ?? '/usr/bin:/bin').split(delimiter);
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path)) ?? name;
}

/** Runs a command in the stage's cgroup: the shell moves itself there, then becomes the command. */
function runInside(stage: Stage, command: readonly string[], stdoutFile = '/dev/null'): Promise<string> {
  const enter = 'echo $$ > "$0" && out=$1 && shift && exec "$@" > "$out"';
  const child = spawn('/bin/sh', ['-c', enter, join(stage.cgroup, 'cgroup.procs'), stdoutFile, ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: STEP_TIMEOUT_MS,
    killSignal: 'SIGTERM',
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(describeEnd(code, signal, stderr)));
  });
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null, stderr: string): string {
  if (signal !== null) return `ended by ${signal}`;
  const [reason] = stderr.trim().split('\n').slice(-1);
  return code === 0 ? 'ended normally' : (reason ?? '') || `exit code ${code}`;
}
