import assert from 'node:assert/strict';
import { ATTACH_TYPE, BtfBuilder, PROGRAM_TYPE } from '../../../engine/bytecode/index.js';
import { EXIT, encodeSlots, type RawSlot, setR0 } from '../../../engine/kernel/features/probe-program.js';
import { BpfMap, BpfProgram, loadBtf, type ProgramLoad, u32Key } from '../../../engine/kernel/index.js';
import { attachTracing } from '../../../engine/kernel/link/tracing.js';
import { guestTest } from './guest-test.js';

const PACKET_BYTES = 64;

/** `int target(struct __sk_buff *)` in BTF, which a program needs to be a target. */
function targetTypes() {
  const builder = new BtfBuilder();
  const int = builder.add({ kind: 'int', name: 'int', byteSize: 4, encoding: 1, bitOffset: 0, bitSize: 32 });
  const context = builder.add({ kind: 'struct', name: '__sk_buff', byteSize: 192, members: [] });
  const pointer = builder.add({ kind: 'pointer', typeId: context });
  const prototype = builder.add({
    kind: 'function-prototype',
    returnTypeId: int,
    parameters: [{ name: 'ctx', typeId: pointer }],
  });
  const typeId = builder.add({ kind: 'function', name: 'target', typeId: prototype, linkage: 1 });
  return { bytes: builder.build(), typeId };
}

const load = (overrides: Partial<ProgramLoad>) =>
  BpfProgram.load({
    name: 'target',
    type: PROGRAM_TYPE['sched-cls'],
    expectedAttachType: 0,
    attachBtfId: 0,
    license: 'GPL',
    instructions: encodeSlots([setR0(3), EXIT]),
    sleepable: false,
    btf: undefined,
    functionInfo: [],
    ...overrides,
  });

guestTest(
  'a program is a target of fexit by its own BTF, and is counted when it runs',
  { only: '6.12' },
  () => {
    const { bytes, typeId } = targetTypes();
    using btf = loadBtf(bytes);
    using target = load({ btf, functionInfo: [{ slotIndex: 0, typeId }] });
    using counter = BpfMap.create({
      name: 'counter',
      type: 2,
      keySize: 4,
      valueSize: 4,
      maxEntries: 1,
      flags: 0,
    });
    // r1 = value of counter; *(u32 *)r1 = 1; r0 = 0
    const raiseFlag: RawSlot[] = [
      [0x18, 1, 2, 0, counter.fd],
      [0, 0, 0, 0, 0],
      [0x62, 1, 0, 0, 1],
      setR0(0),
      EXIT,
    ];
    using observer = load({
      name: 'observer',
      type: PROGRAM_TYPE.tracing,
      expectedAttachType: ATTACH_TYPE['trace-fexit'],
      attachBtfId: typeId,
      attachProgram: target,
      instructions: encodeSlots(raiseFlag),
    });
    assert.equal(observer.info().attachBtfId, typeId);
    using _link = attachTracing(observer);
    assert.equal(target.testRun({ data: new Uint8Array(PACKET_BYTES) }).returnValue, 3);
    assert.deepEqual(counter.get(u32Key(0)), u32Key(1));
  },
);

guestTest('a type that is no function of the target is refused with the reason', { only: '6.12' }, () => {
  const { bytes, typeId } = targetTypes();
  using btf = loadBtf(bytes);
  using target = load({ btf, functionInfo: [{ slotIndex: 0, typeId }] });
  assert.throws(
    () =>
      load({
        type: PROGRAM_TYPE.tracing,
        expectedAttachType: ATTACH_TYPE['trace-fexit'],
        attachBtfId: 1,
        attachProgram: target,
      }),
    (error: { code: string; message: string }) => {
      assert.equal(error.code, 'PROGRAM_REFUSED');
      assert.match(error.message, /Subprog int doesn't exist/);
      return true;
    },
  );
});
