import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Btf, formatType } from '../../engine/bytecode/index.js';
import { missingTool, runTool } from '../bytecode/external-tools.js';
import { KERNEL_TYPES } from './kernel-tags.js';

const missing = missingTool('bpftool');

/** The definitions of structs, unions and enums in bpftool's text, by their first line. */
function definitionsOf(text: string): Map<string, string> {
  const definitions = text.matchAll(/^(struct|union|enum) \w+ \{\n[\s\S]*?^\}[^\n]*;$/gm);
  return new Map([...definitions].map(([whole]) => [whole.slice(0, whole.indexOf('\n')), whole]));
}

/** Without what only serves the layout (attributes, unnamed padding), without spaces after stars and suffixes. */
function essence(definition: string): string[] {
  return definition
    .replaceAll(/ __attribute__\(\(\w+(\(\d+\))?\)\)/g, '')
    .split('\n')
    .filter((line) => !/^\s+(long|int|short|char|u?int\d+_t|u8|u16|u32|u64)?\s*:\s*\d+;$/.test(line))
    .map((line) =>
      line
        .replace(/ = (-?\d+)U?L{0,2},$/, ' = $1,')
        .replaceAll('* ', '*')
        .trimEnd(),
    );
}

describe.skipIf(missing)(`types of this kernel${missing === undefined ? '' : ` (${missing})`}`, () => {
  test('are written as bpftool writes them', () => {
    const btf = new Btf(new Uint8Array(readFileSync(KERNEL_TYPES)), 'vmlinux');
    const theirs = definitionsOf(runTool('bpftool', ['btf', 'dump', 'file', KERNEL_TYPES, 'format', 'c']));
    const differences: unknown[] = [];
    let compared = 0;
    for (let typeId = 1; typeId < btf.typeCount; typeId++) {
      const kind = btf.kindOf(typeId);
      const name = btf.nameOf(typeId);
      if (name === '' || (kind !== 'struct' && kind !== 'union' && kind !== 'enum')) continue;
      // bpftool renames the second type of one name, and whoever refers to it.
      const expected = theirs.get(`${kind} ${name} {`);
      if (expected === undefined || /___\d/.test(expected) || btf.idsByName(name, kind).length > 1) continue;
      compared++;
      const ours = essence(formatType(btf, typeId));
      const wanted = essence(expected);
      if (ours.join('\n') !== wanted.join('\n')) differences.push({ ours, wanted });
    }
    expect(differences.slice(0, 3)).toEqual([]);
    expect(compared).toBeGreaterThan(5_000);
  });
});
