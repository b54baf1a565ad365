import { accessSync, constants, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { decodeNodeMemory, EMPTY_MEMORY, encodeNodeMemory, type NodeMemory } from '../../signing/index.js';
import { hasSystemCode, VespidError } from '../errors/index.js';
import { readPrivateFile } from './private-file.js';
import { FILE_CALLS, type FileCalls, replaceDurably } from './replace-durably.js';
import { unwritableState } from './state-file-errors.js';
import { withStateLock } from './state-lock.js';

/** Where `vespid run` keeps what the node must not go back from. */
export const DEFAULT_STATE_FILE = '/var/lib/vespid/state.json';

/** The limit of strict JSON, and the line feed. */
const MAX_STATE_BYTES = 4 * 1024 * 1024 + 1;

/**
 * A node's memory in a file: read strictly, replaced whole and durably, written by one process at a time. A file that
 * is not there is an empty memory; one that cannot be read, or that others could have changed, is an error.
 */
export class StateFile {
  readonly #calls: FileCalls;

  constructor(
    readonly path: string,
    calls: FileCalls = FILE_CALLS,
  ) {
    this.#calls = calls;
  }

  /**
   * Needs no lock: the file is replaced in one step.
   *
   * @throws VespidError TRUST_STATE_CORRUPT, TRUST_STATE_UNSAFE, TRUST_STATE_UNREADABLE
   */
  read(): NodeMemory {
    const bytes = readPrivateFile(this.path, MAX_STATE_BYTES);
    return bytes === undefined ? EMPTY_MEMORY : decodeNodeMemory(bytes, this.path);
  }

  /**
   * Changes the memory. `change` sees what is in the file at this moment, not what was read before, so its own checks
   * decide. When this returns, the new memory is on the disk.
   *
   * @returns the new memory
   * @throws VespidError TRUST_STATE_*, and what `change` throws; the file is then as it was
   */
  update(change: (memory: NodeMemory) => NodeMemory): NodeMemory {
    this.#makeDirectory();
    return withStateLock(this.path, () => {
      const before = this.read();
      const after = change(before);
      if (after !== before) this.#replace(encodeNodeMemory(after));
      return after;
    });
  }

  /**
   * Says early what {@link update} would say late.
   *
   * @throws VespidError TRUST_STATE_UNWRITABLE, TRUST_STATE_UNSAFE, TRUST_STATE_BUSY
   */
  requireWritable(): void {
    this.#makeDirectory();
    withStateLock(this.path, () => {
      try {
        accessSync(dirname(this.path), constants.W_OK);
      } catch (cause) {
        throw unwritableState(this.path, cause);
      }
    });
  }

  #replace(bytes: Uint8Array): void {
    try {
      replaceDurably(this.path, bytes, this.#calls);
    } catch (cause) {
      if (cause instanceof VespidError) throw cause;
      throw unwritableState(this.path, cause);
    }
  }

  /** Only the last part of the path: a package may own /var/lib, but nobody makes /var/lib/vespid before the first run. */
  #makeDirectory(): void {
    try {
      mkdirSync(dirname(this.path), { mode: 0o700 });
    } catch (cause) {
      if (!hasSystemCode(cause, 'EEXIST')) throw unwritableState(this.path, cause);
    }
  }
}
