import { describe, expect, test } from 'vitest';
import { type Btf, type BtfMember, skipModifiers } from '../../engine/bytecode/index.js';
import * as layouts from '../../engine/kernel/commands/attribute-layout.js';
import { vmlinuxBtf } from '../../engine/kernel/index.js';
import { bpfAttributeFields } from '../kernel/attribute-fields.js';

/** Byte offsets of all members, those of anonymous members at their place and those of named ones by dotted path. */
function memberOffsets(btf: Btf, typeId: number, prefix = '', base = 0): Map<string, number> {
  const type = btf.type(typeId);
  const offsets = new Map<string, number>();
  for (const member of 'members' in type ? type.members : ([] as readonly BtfMember[])) {
    const path = member.name === '' ? prefix : `${prefix}${member.name}`;
    const at = base + member.bitOffset / 8;
    if (member.name !== '') offsets.set(path, at);
    const inner = skipModifiers(btf, member.typeId);
    const separator = member.name === '' ? '' : '.';
    for (const [name, offset] of memberOffsets(btf, inner, path + separator, at)) offsets.set(name, offset);
  }
  return offsets;
}

describe('the table of attribute offsets', () => {
  const btf = vmlinuxBtf();
  const [union = 0] = btf.idsByName('bpf_attr', 'union');
  const actual = memberOffsets(btf, union);
  const known = bpfAttributeFields(layouts).filter(({ path }) => actual.has(path));

  test('has the offsets of the running kernel', () => {
    expect(known.length).toBeGreaterThan(150);
    expect(known).toEqual(known.map(({ path }) => ({ path, offset: actual.get(path) })));
  });
});
