import { expect, test } from 'vitest';
import { Btf, BtfBuilder } from '../../../engine/bytecode/index.js';
import { BtfPatch } from '../../../engine/bytecode/object/btf-patch.js';

test('a name and a type may be longer than a call has arguments', () => {
  const patch = new BtfPatch(new Btf(new BtfBuilder().build(), 'empty.btf'));
  const name = 'n'.repeat(300_000);
  const nameOffset = patch.addString(name);
  // struct btf_type of BTF_KIND_FWD: name, kind, nothing more.
  const typeId = patch.addType([nameOffset, 7 << 24, 0]);
  expect(patch.finish().nameOf(typeId)).toBe(name);
});
