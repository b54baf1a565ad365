import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ErrorCode } from '../../engine/errors/index.js';
import { tryLockFile } from '../../engine/kernel/index.js';
import { FILE_CALLS, type FileCalls } from '../../engine/trust/replace-durably.js';
import { StateFile } from '../../engine/trust/state-file.js';
import { EMPTY_MEMORY, type NodeMemory, rememberBundle } from '../../signing/index.js';
import { expectRefusal } from '../signing/sample-bundle.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const remember =
  (version: string, name = 'starter') =>
  (memory: NodeMemory): NodeMemory =>
    rememberBundle(memory, { name, version, digest: DIGEST });

let directory: string;
let path: string;
let state: StateFile;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vespid-state-'));
  path = join(directory, 'state.json');
  state = new StateFile(path);
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const versionIn = (file: StateFile): string | undefined => file.read().bundles.get('starter')?.version;

describe('the state file', () => {
  test('is an empty memory before the first write', () => {
    expect(state.read()).toEqual(EMPTY_MEMORY);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('has what was written, for its owner alone, and leaves nothing else but the lock', () => {
    state.update(remember('1.0.0'));
    state.update(remember('1.1.0'));
    expect(versionIn(new StateFile(path))).toBe('1.1.0');
    expect(statSync(path).mode & 0o7777).toBe(0o600);
    expect(readdirSync(directory).sort()).toEqual(['state.json', 'state.json.lock']);
  });

  test('gets its directory, but not the one above', () => {
    const deep = new StateFile(join(directory, 'vespid', 'state.json'));
    deep.update(remember('1.0.0'));
    expect(statSync(join(directory, 'vespid')).mode & 0o7777).toBe(0o700);
    const deeper = new StateFile(join(directory, 'a', 'b', 'state.json'));
    expectRefusal('TRUST_STATE_UNWRITABLE', () => deeper.update(remember('1.0.0')));
  });

  test('is not written when nothing changed, nor when the change is refused', () => {
    state.update(remember('1.0.0'));
    const before = statSync(path);
    state.update((memory) => memory);
    expectRefusal('BUNDLE_ROLLBACK', () => state.update(remember('0.9.0')));
    expect(statSync(path).ino).toBe(before.ino);
  });

  test('judges by what is in the file now, not by what was read before', () => {
    const stale = state.read();
    new StateFile(path).update(remember('2.0.0'));
    expect(stale).toEqual(EMPTY_MEMORY);
    expectRefusal('BUNDLE_ROLLBACK', () => state.update(remember('1.0.0')));
  });

  test('says early when it cannot be written', () => {
    expect(() => state.requireWritable()).not.toThrow();
    const nowhere = new StateFile('/proc/vespid/state.json');
    const refusal = expectRefusal('TRUST_STATE_UNWRITABLE', () => nowhere.requireWritable());
    expect(refusal.hint).toContain('--no-state');
  });
});

describe('a state file that cannot be trusted is refused', () => {
  const elsewhere = (): string => join(directory, 'elsewhere.json');
  const replaceBy = (make: () => void): void => {
    rmSync(path);
    make();
  };

  test.each<[what: string, code: ErrorCode, spoil: () => void]>([
    ['cut short', 'TRUST_STATE_CORRUPT', () => truncateSync(path, 40)],
    ['emptied', 'TRUST_STATE_CORRUPT', () => truncateSync(path, 0)],
    ['grown', 'TRUST_STATE_CORRUPT', () => writeFileSync(path, '{}', { flag: 'a' })],
    ['huge', 'TRUST_STATE_UNREADABLE', () => truncateSync(path, 5 * 1024 * 1024)],
    ['writable by its group', 'TRUST_STATE_UNSAFE', () => chmodSync(path, 0o620)],
    ['writable by the world', 'TRUST_STATE_UNSAFE', () => chmodSync(path, 0o602)],
    ['a directory', 'TRUST_STATE_UNSAFE', () => replaceBy(() => mkdirSync(path))],
    ['in a directory of everybody', 'TRUST_STATE_UNSAFE', () => chmodSync(directory, 0o777)],
    [
      'swapped for a link to an older one',
      'TRUST_STATE_UNSAFE',
      () => {
        renameSync(path, elsewhere());
        symlinkSync(elsewhere(), path);
      },
    ],
    ['a dangling link', 'TRUST_STATE_UNSAFE', () => replaceBy(() => symlinkSync(elsewhere(), path))],
    ['of two names', 'TRUST_STATE_UNSAFE', () => linkSync(path, elsewhere())],
  ])('%s', (_what, code, spoil) => {
    state.update(remember('1.0.0'));
    spoil();
    expectRefusal(code, () => state.read());
    expectRefusal(code, () => state.update(remember('2.0.0')));
  });

  test('of another user', () => {
    state.update(remember('1.0.0'));
    // Only root can give a file away; for everybody else, be somebody else.
    if (process.geteuid?.() === 0) chownSync(path, 4242, 4242);
    else vi.spyOn(process, 'geteuid').mockReturnValue(4242);
    try {
      expectRefusal('TRUST_STATE_UNSAFE', () => state.read());
    } finally {
      vi.restoreAllMocks();
    }
  });

  test('a lock that is a link', () => {
    symlinkSync(elsewhere(), `${path}.lock`);
    expectRefusal('TRUST_STATE_UNSAFE', () => state.update(remember('1.0.0')));
    expect(existsSync(elsewhere())).toBe(false);
  });

  test('a directory that everybody may write is good when it is sticky, as /tmp is', () => {
    chmodSync(directory, 0o1777);
    state.update(remember('1.0.0'));
    expect(versionIn(state)).toBe('1.0.0');
  });
});

/** The end of the world before its n-th system call: that one fails, and so does everything after it. */
class Crash implements FileCalls {
  calls = 0;
  readonly names: string[] = [];

  constructor(readonly at: number) {}

  readonly open = this.#until('open', FILE_CALLS.open);
  readonly write = this.#until('write', FILE_CALLS.write);
  readonly sync = this.#until('sync', FILE_CALLS.sync);
  readonly close = this.#until('close', FILE_CALLS.close);
  readonly rename = this.#until('rename', FILE_CALLS.rename);
  readonly remove = this.#until('remove', FILE_CALLS.remove);

  #until<Inputs extends unknown[], Result>(name: string, call: (...inputs: Inputs) => Result) {
    return (...inputs: Inputs): Result => {
      if (++this.calls >= this.at) throw new Error('power cut');
      this.names.push(name);
      return call(...inputs);
    };
  }
}

describe('a crash', () => {
  const whole = new Crash(Number.POSITIVE_INFINITY);

  test('can come before each of these calls, in this order', () => {
    new StateFile(path, whole).update(remember('1.0.0'));
    expect(whole.names).toEqual('remove open write sync close rename open sync close'.split(' '));
  });

  test.each(Array.from({ length: 9 }, (_, index) => index + 1))(
    'before call %i leaves the old or the new state, whole, and the next write works',
    (at) => {
      state.update(remember('1.0.0'));
      const crash = new Crash(at);
      expectRefusal('TRUST_STATE_UNWRITABLE', () => new StateFile(path, crash).update(remember('1.1.0')));
      const renamed = crash.names.includes('rename');
      expect(versionIn(state)).toBe(renamed ? '1.1.0' : '1.0.0');
      state.update(remember('1.2.0'));
      expect(versionIn(state)).toBe('1.2.0');
      expect(readdirSync(directory).sort()).toEqual(['state.json', 'state.json.lock']);
    },
  );

  test('in the middle of writing leaves the old state', () => {
    state.update(remember('1.0.0'));
    const torn: FileCalls = {
      ...FILE_CALLS,
      write: (fd, bytes) => {
        FILE_CALLS.write(fd, bytes.subarray(0, 10));
        throw new Error('no space left on device');
      },
    };
    expectRefusal('TRUST_STATE_UNWRITABLE', () => new StateFile(path, torn).update(remember('1.1.0')));
    expect(versionIn(state)).toBe('1.0.0');
    expect(readdirSync(directory).sort()).toEqual(['state.json', 'state.json.lock']);
  });

  test('a write that the system takes in pieces is written whole', () => {
    const slow: FileCalls = {
      ...FILE_CALLS,
      write: (fd, bytes) => FILE_CALLS.write(fd, bytes.subarray(0, 7)),
    };
    new StateFile(path, slow).update(remember('1.0.0'));
    expect(versionIn(state)).toBe('1.0.0');
  });
});

describe('the lock', () => {
  test('keeps a second writer out until it is given back with its descriptor', () => {
    state.update(remember('1.0.0'));
    const fd = openSync(`${path}.lock`, 'r+');
    expect(tryLockFile(fd)).toBe(true);
    const second = openSync(`${path}.lock`, 'r+');
    expect(tryLockFile(second)).toBe(false);
    closeSync(fd);
    expect(tryLockFile(second)).toBe(true);
    closeSync(second);
    state.update(remember('1.1.0'));
    expect(readFileSync(path, 'utf8')).toContain('1.1.0');
  });

  test('is not needed to read', () => {
    state.update(remember('1.0.0'));
    const fd = openSync(`${path}.lock`, 'r+');
    try {
      expect(tryLockFile(fd)).toBe(true);
      expect(versionIn(state)).toBe('1.0.0');
    } finally {
      closeSync(fd);
    }
  });
});
