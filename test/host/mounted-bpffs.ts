import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from '../bytecode/external-tools.js';

/** A bpffs of a test's own, gone with it, and a folder for files beside it. */
export interface MountedBpffs extends Disposable {
  /** A folder in it. */
  readonly path: string;
  /** Writes a file beside the mount. */
  file(name: string, bytes: Uint8Array): string;
}

export function mountedBpffs(): MountedBpffs {
  const directory = mkdtempSync(join(tmpdir(), 'vespid-bpffs-'));
  const mountPoint = join(directory, 'bpf');
  mkdirSync(mountPoint);
  runTool('mount', ['-t', 'bpf', 'bpf', mountPoint]);
  // The kernel puts files of its own at the top.
  const path = join(mountPoint, 'pins');
  mkdirSync(path);
  return {
    path,
    file(name, bytes) {
      const file = join(directory, name);
      writeFileSync(file, bytes);
      return file;
    },
    [Symbol.dispose]() {
      runTool('umount', [mountPoint]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
