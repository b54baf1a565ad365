import { readdirSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

export const BPF_FILE_SYSTEM = '/sys/fs/bpf';

/** Removes every pin, those that an object asks for by name among them. The directories go, too. */
export function removeAllPins(directory = BPF_FILE_SYSTEM): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) {
      removeAllPins(path);
      rmdirSync(path);
    } else unlinkSync(path);
  }
}
