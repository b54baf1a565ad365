import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import type { ArchiveEntry } from './cpio-archive.js';
import { runTool } from './run-tool.js';

/**
 * Programs of this machine that the guest gets as files of their own, so that a test sees them by their own path
 * (/proc/PID/exe of a busybox applet is busybox). Everything else in the guest's shell is busybox.
 */
const HOST_PROGRAMS = ['cat', 'cp', 'env', 'id', 'ls', 'sleep', 'touch', 'true', 'uname', 'bpftool'] as const;
const SHELL = 'dash';

const BUSYBOX_PATH = '/usr/bin/busybox';

/** A file of this machine and its path in the guest. */
export interface GuestFile {
  readonly hostPath: string;
  readonly guestPath: string;
}

/** Busybox, node, the host programs, and every shared library that they or the given native modules need. */
export function guestPrograms(busybox: string, nativeModules: readonly string[]): GuestFile[] {
  const programs: GuestFile[] = [
    { hostPath: busybox, guestPath: BUSYBOX_PATH },
    { hostPath: process.execPath, guestPath: '/usr/bin/node' },
    { hostPath: findProgram(SHELL), guestPath: '/usr/bin/sh' },
    ...HOST_PROGRAMS.map((name) => {
      const hostPath = findProgram(name);
      return { hostPath, guestPath: `/usr/${name === 'bpftool' ? 'sbin' : 'bin'}/${basename(hostPath)}` };
    }),
  ];
  const libraries = sharedLibraries([...programs.map(({ hostPath }) => hostPath), ...nativeModules]);
  return [...programs, ...libraries.map((hostPath) => ({ hostPath, guestPath: inMergedUsr(hostPath) }))];
}

/** A link to busybox for each of its applets that no program of the same name covers. */
export function appletLinks(busybox: string, files: readonly GuestFile[]): ArchiveEntry[] {
  const taken = new Set(files.map(({ guestPath }) => guestPath));
  return runTool(busybox, ['--list'])
    .trim()
    .split('\n')
    .filter((applet) => !taken.has(`/usr/bin/${applet}`) && !taken.has(`/usr/sbin/${applet}`))
    .map((applet) => ({ kind: 'symlink', path: `/usr/bin/${applet}`, target: BUSYBOX_PATH }));
}

export function readGuestFile({ hostPath, guestPath }: GuestFile): ArchiveEntry {
  return { kind: 'file', path: guestPath, content: readFileSync(hostPath), executable: true };
}

export function findProgram(name: string): string {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const found = directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
  if (found === undefined)
    throw new Error(`${name} is not installed; the guest needs it (apt-get install ${name})`);
  return found;
}

/** The libraries and the dynamic loader that ldd resolves, sorted. A static program has none. */
export function sharedLibraries(paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const result = spawnSync('ldd', [path], { encoding: 'utf8' });
    if (result.status !== 0) continue;
    if (result.stdout.includes('not found'))
      throw new Error(`ldd ${path} misses a library:\n${result.stdout}`);
    for (const match of result.stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)) found.add(match[1] ?? '');
  }
  return [...found].sort();
}

/** The guest has /lib, /lib64, /bin and /sbin as links into /usr, as Debian has. */
function inMergedUsr(path: string): string {
  return /^\/(lib|lib64|bin|sbin)\//.test(path) ? `/usr${path}` : path;
}
