import { describe, expect, test } from 'vitest';
import { kernelStructOps, layOutStructOps } from '../../engine/bpf/struct-ops/struct-ops-layout.js';
import {
  Btf,
  BtfBuilder,
  type BtfMember,
  type ObjectFunction,
  type StructOpsMap,
} from '../../engine/bytecode/index.js';
import { thrownBy } from '../policies/policy-text.js';

type MemberKind = 'u32' | 'u64' | 'function';
const BYTES: Readonly<Record<MemberKind, number>> = { u32: 4, u64: 8, function: 8 };

/** Types of one side: `struct ops` with these members, and the kernel's struct around it. */
function typesWith(members: readonly (readonly [string, MemberKind])[]): {
  btf: Btf;
  typeId: number;
  valueTypeId: number;
} {
  const builder = new BtfBuilder();
  const integer = (name: string, byteSize: number) =>
    builder.add({ kind: 'int', name, byteSize, encoding: 0, bitOffset: 0, bitSize: byteSize * 8 });
  const prototype = builder.add({ kind: 'function-prototype', returnTypeId: 0, parameters: [] });
  const ids: Record<MemberKind, number> = {
    u32: integer('u32', 4),
    u64: integer('u64', 8),
    function: builder.add({ kind: 'pointer', typeId: prototype }),
  };
  let at = 0;
  const laidOut = members.map(([name, kind]): BtfMember => {
    at = Math.ceil(at / BYTES[kind]) * BYTES[kind];
    const member = { name, typeId: ids[kind], bitOffset: at * 8, bitFieldSize: 0 };
    at += BYTES[kind];
    return member;
  });
  const byteSize = Math.ceil(at / 8) * 8;
  const typeId = builder.add({ kind: 'struct', name: 'ops', byteSize, members: laidOut });
  const data = { name: 'data', typeId, bitOffset: 64 * 8, bitFieldSize: 0 };
  const valueTypeId = builder.add({
    kind: 'struct',
    name: 'bpf_struct_ops_ops',
    byteSize: 64 + byteSize,
    members: [data],
  });
  return { btf: new Btf(builder.build(), 'test'), typeId, valueTypeId };
}

/** Only its identity matters here. */
const program = { name: 'callback' } as ObjectFunction;

const kernelTypes = typesWith([
  ['added', 'u64'],
  ['flags', 'u32'],
  ['call', 'function'],
  ['later', 'function'],
]);
const kernel = kernelStructOps(kernelTypes.btf, kernelTypes.typeId, kernelTypes.valueTypeId);

function layOut(
  members: readonly (readonly [string, MemberKind])[],
  bytes: readonly number[],
  callAt?: number,
) {
  const { btf, typeId } = typesWith(members);
  const map: StructOpsMap = {
    name: 'mine',
    typeId,
    typeName: 'ops',
    bytes: Uint8Array.from(bytes),
    isLink: false,
    isLoadedByDefault: true,
    functions: callAt === undefined ? [] : [{ byteOffset: callAt, member: 'call', program }],
  };
  return layOutStructOps(map, btf, kernel);
}

describe('a struct of callbacks', () => {
  test('is laid out by the names of the kernel, functions by their member', () => {
    const layout = layOut(
      [
        ['call', 'function'],
        ['flags', 'u32'],
      ],
      [0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0],
      0,
    );
    expect(layout.bytes.byteLength).toBe(64 + 32);
    expect([...layout.bytes.subarray(64 + 8, 64 + 12)]).toEqual([5, 0, 0, 0]);
    expect(layout.functions).toEqual([{ program, byteOffset: 64 + 16, memberIndex: 2 }]);
  });

  test('may have members that the kernel lacks as long as they are zero', () => {
    expect(layOut([['unknown', 'u64']], [0, 0, 0, 0, 0, 0, 0, 0]).functions).toEqual([]);
  });

  test.each([
    { what: 'sets what the kernel lacks', members: [['unknown', 'u64']] as const, says: 'ops.unknown' },
    { what: 'has a member of another size', members: [['flags', 'u64']] as const, says: '8 bytes' },
    { what: 'has a member of another kind', members: [['call', 'u64']] as const, says: 'pointer' },
  ])('is refused when it $what', ({ members, says }) => {
    const error = thrownBy(() => layOut(members, [1, 0, 0, 0, 0, 0, 0, 0]));
    expect(error.code).toBe('STRUCT_OPS_MISMATCH');
    expect(error.message).toContain(says);
  });
});
