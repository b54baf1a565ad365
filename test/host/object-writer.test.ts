import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  applyCoreRelocations,
  Btf,
  type LinkedProgram,
  linkProgram,
  PSEUDO,
  programNamed,
  readObject,
  writeObject,
} from '../../engine/bytecode/index.js';
import { InstructionSlots } from '../../engine/bytecode/instruction-slots.js';
import {
  compileWithClang,
  missingTool,
  runTool,
  withTemporaryDirectory,
} from '../bytecode/external-tools.js';
import { sampleDefinition } from '../bytecode/sample-object.js';

const KERNEL_TYPES = '/sys/kernel/btf/vmlinux';

const missing = process.getuid?.() === 0 ? missingTool('bpftool') : 'not root';

/** Loads every program of an object with bpftool, pinned in a BPF file system of our own while `use` runs. */
function whileLoaded<T>(object: Uint8Array, use: (pinOf: (program: string) => string) => T): T {
  return withTemporaryDirectory((directory) => {
    const file = join(directory, 'sample.bpf.o');
    const pins = join(directory, 'pins');
    writeFileSync(file, object);
    mkdirSync(pins);
    runTool('mount', ['-t', 'bpf', 'bpf', pins]);
    try {
      runTool('bpftool', ['prog', 'loadall', file, join(pins, 'sample')]);
      return use((program) => join(pins, 'sample', program));
    } finally {
      runTool('umount', [pins]);
    }
  });
}

/** The program as BPF_PROG_LOAD gets it, with the map descriptors zeroed as the kernel's digest leaves them. */
function digestedInstructions(linked: LinkedProgram, relocated: Uint8Array): Uint8Array {
  const slots = new InstructionSlots(relocated, linked.name);
  const zero = (slotIndex: number, pseudo: number): void => {
    slots.setSourceRegister(slotIndex, pseudo);
    slots.setImmediate64(slotIndex, 0n);
  };
  for (const { slotIndex } of linked.mapReferences) zero(slotIndex, PSEUDO.mapFd);
  for (const { slotIndex } of linked.dataReferences) zero(slotIndex, PSEUDO.mapValue);
  return relocated;
}

/** Tags of the programs that we make of an object, and that the kernel computed of what libbpf loaded. */
function compareTags(object: Uint8Array): void {
  const file = readObject(object, 'sample.bpf.o');
  const kernel = new Btf(new Uint8Array(readFileSync(KERNEL_TYPES)), 'vmlinux');
  const { btf } = file;
  if (btf === undefined) throw new Error('the object has no BTF');
  whileLoaded(object, (pinOf) => {
    for (const { name } of file.programs) {
      const linked = linkProgram(file, programNamed(file, name));
      const { instructions } = applyCoreRelocations(linked, btf, { vmlinux: kernel, modules: () => [] });
      const digested = digestedInstructions(linked, instructions);
      // SHA-1 up to Linux 6.17, SHA-256 since: the tag is the first 8 bytes.
      const tags = ['sha1', 'sha256'].map((algorithm) =>
        createHash(algorithm).update(digested).digest('hex').slice(0, 16),
      );
      // bpftool's answer has more members; only the tag is looked at.
      const shown = JSON.parse(runTool('bpftool', ['-j', 'prog', 'show', 'pinned', pinOf(name)])) as {
        tag: string;
      };
      expect(tags, name).toContain(shown.tag);
    }
  });
}

describe.skipIf(missing)(`this kernel${missing === undefined ? '' : ` (${missing})`}`, () => {
  test('loads what writeObject writes, relocated by libbpf as by us', () => {
    compareTags(writeObject(sampleDefinition()));
  });

  const noClang = missingTool('clang');
  test.skipIf(noClang)(`loads clang's object, relocated by libbpf as by us${noClang ?? ''}`, () => {
    compareTags(compileWithClang());
  });

  test('has a task_struct.pid where bpftool says it is', () => {
    const kernel = new Btf(new Uint8Array(readFileSync(KERNEL_TYPES)), 'vmlinux');
    const object = readObject(writeObject(sampleDefinition()), 'sample.bpf.o');
    if (object.btf === undefined) throw new Error('the object has no BTF');
    const linked = linkProgram(object, programNamed(object, 'on_switch'));
    const relocated = applyCoreRelocations(linked, object.btf, { vmlinux: kernel, modules: () => [] });
    expect(relocated.poisoned).toEqual([]);
    const dump = runTool('bpftool', ['btf', 'dump', 'file', KERNEL_TYPES, 'format', 'raw']);
    const struct = /STRUCT 'task_struct'[^[]*/.exec(dump)?.[0] ?? '';
    const bitOffset = Number(/'pid' type_id=\d+ bits_offset=(\d+)/.exec(struct)?.[1]);
    const slots = new InstructionSlots(relocated.instructions, 'on_switch');
    expect(slots.immediate(2)).toBe(bitOffset / 8);
  });
});
