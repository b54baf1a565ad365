import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  applyCoreRelocations,
  Btf,
  type LinkedProgram,
  linkProgram,
  type PoisonedInstruction,
  PSEUDO,
  programNamed,
  readObject,
} from '../../engine/bytecode/index.js';
import { InstructionSlots } from '../../engine/bytecode/instruction-slots.js';
import { runTool, withTemporaryDirectory } from '../bytecode/external-tools.js';

export const KERNEL_TYPES = '/sys/kernel/btf/vmlinux';

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

/**
 * Holds the tags of the programs that we make of an object to those that the kernel computed of what libbpf
 * loaded.
 * @returns what was poisoned in any program
 */
export function compareTags(object: Uint8Array): PoisonedInstruction[] {
  const file = readObject(object, 'sample.bpf.o');
  const kernel = new Btf(new Uint8Array(readFileSync(KERNEL_TYPES)), 'vmlinux');
  const { btf } = file;
  if (btf === undefined) throw new Error('the object has no BTF');
  return whileLoaded(object, (pinOf) =>
    file.programs.flatMap(({ name }) => {
      const linked = linkProgram(file, programNamed(file, name));
      const { instructions, poisoned } = applyCoreRelocations(linked, btf, {
        vmlinux: kernel,
        modules: () => [],
      });
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
      return poisoned;
    }),
  );
}
