import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeBtfExt } from '../../engine/bytecode/btf/btf-ext.js';
import { patchInstruction } from '../../engine/bytecode/core/patch-instruction.js';
import { CORE_KINDS } from '../../engine/bytecode/core/relocation-kind.js';
import {
  SECTION_FLAG,
  SECTION_TYPE,
  SYMBOL_BINDING,
  SYMBOL_TYPE,
} from '../../engine/bytecode/elf/elf-format.js';
import { writeElf } from '../../engine/bytecode/elf/elf-writer.js';
import { BtfBuilder, CoreResolver } from '../../engine/bytecode/index.js';
import { InstructionSlots } from '../../engine/bytecode/instruction-slots.js';
import { VespidError } from '../../engine/errors/index.js';
import { type RandomCase, type RandomRelocation, randomCase } from '../bytecode/core/random-relocations.js';
import { missingTool, runTool, withTemporaryDirectory } from '../bytecode/external-tools.js';

/** `return 0`, after the relocated instruction. */
const RETURN = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
const CASES = 600;
const SEED = 20_231;

const HEADER = '/usr/include/bpf/libbpf.h';

const missing =
  process.getuid?.() !== 0
    ? 'not root'
    : (missingTool('clang') ?? (existsSync(HEADER) ? undefined : 'libbpf-dev is not installed'));

/** The object's types again, and in the same strings what .BTF.ext needs. */
function objectOf({ local, relocations }: RandomCase): Uint8Array {
  const builder = new BtfBuilder();
  for (let typeId = 1; typeId < local.typeCount; typeId++) builder.add(local.type(typeId));
  const prototype = builder.add({ kind: 'function-prototype', returnTypeId: 1, parameters: [] });
  const programs = relocations.map(({ instruction }) => joined(instruction, RETURN));
  const offsets = programs.map((_, index) =>
    programs.slice(0, index).reduce((sum, { byteLength }) => sum + byteLength, 0),
  );
  const functions = programs.map((_, index) => {
    const name = `program${index}`;
    const typeId = builder.add({ kind: 'function', name, typeId: prototype, linkage: 1 });
    return { byteOffset: offsets[index] ?? 0, typeId };
  });
  const records = relocations.map(({ kind, typeId, access }, index) => ({
    byteOffset: offsets[index] ?? 0,
    typeId,
    access,
    kind: CORE_KINDS.indexOf(kind),
  }));
  const section = 'oracle';
  const ext = writeBtfExt(
    {
      functions: [{ section, records: functions }],
      lines: [],
      coreRelocations: [{ section, records }],
    },
    builder,
  );
  const data = (name: string, bytes: Uint8Array, flags = 0) => {
    return { name, type: SECTION_TYPE.programBits, flags, byteAlignment: 8, bytes };
  };
  return writeElf(
    [
      data(section, joined(...programs), SECTION_FLAG.allocate | SECTION_FLAG.executable),
      data('license', new TextEncoder().encode('GPL\0'), SECTION_FLAG.allocate | SECTION_FLAG.write),
      data('.BTF', builder.build()),
      data('.BTF.ext', ext),
    ],
    programs.map((program, index) => ({
      key: `program${index}`,
      name: `program${index}`,
      type: SYMBOL_TYPE.function,
      binding: SYMBOL_BINDING.global,
      section,
      value: offsets[index] ?? 0,
      byteSize: program.byteLength,
    })),
  );
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** What we make of a case, in the words of the oracle. */
function ourAnswer({ local, kernel, relocations }: RandomCase): string {
  const resolver = new CoreResolver(local, { vmlinux: kernel, modules: () => [] });
  const relocate = (relocation: RandomRelocation): string => {
    const slots = new InstructionSlots(joined(relocation.instruction, RETURN), 'case');
    patchInstruction(slots, 0, resolver.resolve(relocation));
    return Buffer.from(slots.bytes).toString('hex');
  };
  try {
    return ['relocated', ...relocations.map(relocate)].join(' ');
  } catch (error) {
    if (error instanceof VespidError) return 'refused';
    throw error;
  }
}

function describeCase({ local, relocations }: RandomCase): string {
  const lines = relocations.map(
    ({ kind, typeId, access }) =>
      `${kind} ${access} of ${typeId} (${local.kindOf(typeId)} ${local.nameOf(typeId)})`,
  );
  return lines.join(', ');
}

describe.skipIf(missing)(`CO-RE of random types${missing === undefined ? '' : ` (${missing})`}`, () => {
  test('ends as libbpf ends it, to the byte', () => {
    const cases = fc.sample(randomCase, { seed: SEED, numRuns: CASES });
    const theirs = withTemporaryDirectory((directory) => {
      const oracle = join(directory, 'core-oracle');
      const source = fileURLToPath(new URL('../fixtures/libbpf/core-oracle.c', import.meta.url));
      runTool('clang', ['-O1', source, '-o', oracle, '-lbpf']);
      const files = cases.flatMap((each, index) => {
        const object = join(directory, `${index}.o`);
        const btf = join(directory, `${index}.btf`);
        writeFileSync(object, objectOf(each));
        writeFileSync(btf, each.kernel.bytes);
        return [object, btf];
      });
      return runTool(oracle, files).trimEnd().split('\n');
    });
    const ours = cases.map(ourAnswer);
    const differences = cases.flatMap((each, index) =>
      ours[index] === theirs[index]
        ? []
        : [`${describeCase(each)}\nours:   ${ours[index]}\ntheirs: ${theirs[index]}`],
    );
    expect(theirs).toHaveLength(CASES);
    expect(differences).toEqual([]);
    // Not a test that only compares refusals: most cases are relocated, some with poison, some are refused.
    const count = (pattern: RegExp) => theirs.filter((answer) => pattern.test(answer)).length;
    expect(count(/^relocated/)).toBeGreaterThan(CASES / 2);
    expect(count(/1023ad0b/)).toBeGreaterThan(CASES / 20);
    expect(count(/^refused/)).toBeGreaterThan(CASES / 20);
    expect(count(/^not opened/)).toBe(0);
  });
});
