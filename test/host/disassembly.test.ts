import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  assemble,
  disassembleFunction,
  readObject,
  SLOT_BYTES,
  writeObject,
} from '../../engine/bytecode/index.js';
import {
  missingTool,
  runTool,
  TOOL_ENVIRONMENT,
  withTemporaryDirectory,
} from '../bytecode/external-tools.js';

const missing = process.getuid?.() === 0 ? missingTool('bpftool') : 'not root';

/** What bpftool 7.1 knows too: it brings a disassembler of its own, from before -mcpu=v4. */
const CLASSIC = `
  call bpf_ktime_get_ns
  r6 = r0
  w7 = w6
  r8 = 0x1122334455667788 ll
  r9 = counts ll
  r8 += r6
  r8 -= 5
  r8 *= 7
  r8 /= 3
  r8 %= 100
  w8 |= 0xf0
  w8 &= w6
  w8 ^= -1
  r8 <<= 3
  w8 >>= 2
  r8 s>>= 1
  r8 = -r8
  w8 = -w8
  r8 = be16 r8
  r8 = le64 r8
  *(u8 *)(r10 - 1) = 1
  *(u16 *)(r10 - 4) = 2
  *(u32 *)(r10 - 8) = -3
  *(u64 *)(r10 - 16) = 4
  *(u32 *)(r10 - 24) = r6
  *(u64 *)(r10 - 32) = r8
  r1 = *(u8 *)(r10 - 16)
  r2 = *(u64 *)(r10 - 32)
  lock *(u64 *)(r10 - 16) += r6
  lock *(u32 *)(r10 - 16) ^= r6
  r3 = r6
  r3 = atomic_fetch_or((u64 *)(r10 - 16), r3)
  r3 = xchg_64(r10 - 16, r3)
  r0 = 1
  r0 = cmpxchg_64(r10 - 16, r0, r6)
  if r6 == 1 goto low
  if r6 s> 5 goto low
  if w7 s<= w8 goto low
  if r6 & 0x10 goto low
  if r6 != r8 goto low
  r0 = 1
  goto out
low:
  call inner
  r0 = 2
out:
  exit`;

/** What only the kernel itself knows, from Linux 6.6. */
const MODERN = `
  call bpf_ktime_get_ns
  r6 = r0
  r8 = r0
  r8 = bswap32 r8
  r8 = (s8)r6
  r8 = (s32)r6
  w8 = (s16)w6
  r8 s/= 7
  w8 s%= 5
  *(u64 *)(r10 - 16) = 4
  r1 = *(s8 *)(r10 - 16)
  r1 = *(s32 *)(r10 - 12)
  if w6 s< 5 goto low
  if r6 == -1 goto low
  gotol out
low:
  r0 = 2
out:
  r0 = 0
  exit`;

const INNER = '\n.function inner\n  r0 = 7\n  exit\n';

describe.skipIf(missing)(`our kernel form${missing === undefined ? '' : ` (${missing})`}`, () => {
  it('is what bpftool prog dump xlated prints', () => {
    const object = objectOf(CLASSIC + INNER);
    const ours = linesOf(object).map(({ text }) => comparable(text));
    expect(withLoaded(object, ({ pin }) => xlatedLines(pin))).toEqual(ours);
  });

  it.each([
    { what: 'instructions up to -mcpu=v3', text: CLASSIC + INNER },
    { what: 'instructions of -mcpu=v4', text: MODERN },
  ])("is what the kernel's verifier prints: $what", ({ text }) => {
    const object = objectOf(text);
    const theirs = withLoaded(object, ({ log }) => verifierLines(log));
    for (const { slotIndex, text: ours } of linesOf(object)) {
      expect(theirs.get(slotIndex), `slot ${slotIndex}`).toBe(comparable(ours));
    }
  });
});

function objectOf(code: string): Uint8Array {
  const header = '.map counts type=hash key=4 value=8 entries=4\n.function every_form socket\n';
  return writeObject({
    ...assemble(header + code),
    ...{ license: 'GPL', constants: [], kernelTypes: [], metadata: new Uint8Array() },
  });
}

/** The program with its function behind it, as the kernel gets it. */
function linesOf(bytes: Uint8Array): { slotIndex: number; text: string }[] {
  const object = readObject(bytes, 'forms.bpf.o');
  let start = 0;
  return [...object.programs, ...object.subprograms].flatMap((f) => {
    const before = start;
    start += f.instructions.byteLength / SLOT_BYTES;
    return disassembleFunction(object, f, 'kernel').map(({ slotIndex, text }) => ({
      slotIndex: before + slotIndex,
      text,
    }));
  });
}

/** Without what is of one load: addresses and ids of maps, addresses of helpers, distances to functions. */
function comparable(line: string): string {
  return line
    .replace(/map\[(id|name):\w+\]|0xffff[0-9a-f]{12}$/, 'map')
    .replace(/^(\(85\) call bpf_\w+)#-?\d+$/, '$1')
    .replace(/^\(85\) call (pc[-+]\d+|inner).*$/, '(85) call function');
}

function xlatedLines(pin: string): string[] {
  const text = runTool('bpftool', ['prog', 'dump', 'xlated', 'pinned', pin]);
  return text.split('\n').flatMap((line) => {
    const statement = /^ *\d+: (\(.*)$/.exec(line)?.[1];
    return statement === undefined ? [] : [comparable(statement)];
  });
}

/** By slot: the verifier goes the ways through a program, and says where it is. */
function verifierLines(log: string): Map<number, string> {
  const lines = new Map<number, string>();
  for (const line of log.split('\n')) {
    const match = /^(\d+): (\(..\) .*?) *(;.*)?$/.exec(line);
    if (match?.[2] !== undefined) lines.set(Number(match[1]), comparable(match[2]));
  }
  return lines;
}

/** Loads the object in a BPF file system of our own; the log is the verifier's, at its most detailed. */
function withLoaded<T>(object: Uint8Array, use: (loaded: { pin: string; log: string }) => T): T {
  return withTemporaryDirectory((directory) => {
    const file = join(directory, 'forms.bpf.o');
    const pins = join(directory, 'pins');
    writeFileSync(file, object);
    mkdirSync(pins);
    runTool('mount', ['-t', 'bpf', 'bpf', pins]);
    try {
      // A folder of its own: bpftool mounts one more file system over the parent of what it is given.
      const args = ['--debug', 'prog', 'loadall', file, join(pins, 'forms')];
      const { status, stderr } = spawnSync('bpftool', args, { encoding: 'utf8', env: TOOL_ENVIRONMENT });
      expect(status, stderr).toBe(0);
      return use({ pin: join(pins, 'forms', 'every_form'), log: stderr });
    } finally {
      runTool('umount', [pins]);
    }
  });
}
