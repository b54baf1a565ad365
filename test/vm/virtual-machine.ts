import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type GuestMessage, parseGuestMessage } from './protocol.js';

const MEMORY_MIB = 2048;
const CPU_COUNT = 2;
/** Lines of the console that explain a guest which never got to its runner. */
const CONSOLE_TAIL_LINES = 60;

export interface BootOptions {
  /** An unpacked linux-image package. */
  readonly kernelDirectory: string;
  readonly initramfs: string;
  /** A file that takes what the kernel and init print. */
  readonly consoleLog: string;
  readonly timeoutMs: number;
  readonly onMessage: (message: GuestMessage) => void;
}

export interface BootResult {
  readonly timedOut: boolean;
  /** What QEMU itself complained about, and the end of the console. */
  readonly consoleTail: string;
}

/**
 * Boots a guest and resolves when it has powered off. The first serial port is the console, the second carries
 * the runner's messages. Always emulated: the guest must not depend on the machine's own virtualization.
 */
export function boot(options: BootOptions): Promise<BootResult> {
  const kernelFile = (prefix: string): string => {
    const directory = join(options.kernelDirectory, 'boot');
    const found = readdirSync(directory).find((name) => name.startsWith(prefix));
    if (found === undefined) throw new Error(`${directory} holds no ${prefix}*`);
    return join(directory, found);
  };
  const args = [
    ...['-machine', 'pc,accel=tcg', '-cpu', 'max', '-m', String(MEMORY_MIB), '-smp', String(CPU_COUNT)],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-serial', `file:${options.consoleLog}`, '-serial', 'stdio'],
    ...['-kernel', kernelFile('vmlinuz-'), '-initrd', options.initramfs],
    ...['-append', kernelCommandLine(readFileSync(kernelFile('config-'), 'utf8'))],
  ];
  return runQemu(args, options);
}

/** Names the kernel's own LSM list, with bpf in it. */
function kernelCommandLine(config: string): string {
  const configured = /^CONFIG_LSM="([^"]*)"$/m.exec(config)?.[1]?.split(',') ?? [];
  const modules = configured.includes('bpf') ? configured : [...configured, 'bpf'];
  return `console=ttyS0 quiet panic=-1 lsm=${modules.join(',')}`;
}

function runQemu(args: readonly string[], options: BootOptions): Promise<BootResult> {
  return new Promise((resolve, reject) => {
    const qemu = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = (): void => void qemu.kill('SIGKILL');
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, options.timeoutMs);
    process.once('exit', kill);
    const finish = (): void => {
      clearTimeout(timer);
      process.removeListener('exit', kill);
    };

    let complaints = '';
    qemu.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    createInterface({ input: qemu.stdout }).on('line', (line) => {
      const message = parseGuestMessage(line);
      if (message !== undefined) options.onMessage(message);
    });
    qemu.on('error', (error) => {
      finish();
      reject(new Error(`cannot run qemu-system-x86_64: ${error.message}`, { cause: error }));
    });
    qemu.on('close', () => {
      finish();
      resolve({ timedOut, consoleTail: complaints + tail(options.consoleLog) });
    });
  });
}

function tail(path: string): string {
  if (!existsSync(path)) return '';
  return readFileSync(path, 'utf8').split(/\r?\n/).slice(-CONSOLE_TAIL_LINES).join('\n');
}
