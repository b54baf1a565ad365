import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Assembler, R0, R1, readObject, writeObject } from '../../../engine/bytecode/index.js';
import { loadObject, NO_GATE } from '../../../engine/loader/index.js';
import { bpfIds } from './bpf-calls.js';
import { Enforcement, policyText } from './enforcement.js';
import { guestTest } from './guest-test.js';

const FAILING_LOADS = 40;
const SESSIONS = 2;

const MAP = { type: 2, keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 };

/** Two programs, of which the verifier takes the first and refuses the second: it returns what R1 was. */
const HALF_BAD = readObject(
  writeObject({
    license: 'GPL',
    programs: [
      {
        section: 'socket',
        function: new Assembler('good').loadMap(R1, 'one').moveImmediate(R0, 0).exit().finish(),
      },
      { section: 'cgroup_skb/egress', function: new Assembler('bad').loadMap(R1, 'two').exit().finish() },
    ],
    subprograms: [],
    maps: [
      { ...MAP, name: 'one' },
      { ...MAP, name: 'two' },
    ],
    constants: [{ name: 'constant', members: [{ name: 'value', byteSize: 8, value: 1n }] }],
    kernelTypes: [],
    metadata: new Uint8Array(0),
  }),
  'half-bad.bpf.o',
);

interface Holdings {
  readonly descriptors: number;
  readonly programs: number;
  readonly maps: number;
  readonly types: number;
}

function holdings(): Holdings {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    programs: bpfIds('PROG').length,
    maps: bpfIds('MAP').length,
    types: bpfIds('BTF').length,
  };
}

/** What is held when nothing changes any more: the kernel frees what nobody holds after a grace period. */
async function settled(): Promise<Holdings> {
  let last = holdings();
  for (let quiet = 0; quiet < 4; ) {
    await setTimeout(50);
    const next = holdings();
    quiet = JSON.stringify(next) === JSON.stringify(last) ? quiet + 1 : 0;
    last = next;
  }
  return last;
}

async function assertBackTo(before: Holdings): Promise<void> {
  for (let waits = 0; waits < 40; waits++) {
    if (JSON.stringify(holdings()) === JSON.stringify(before)) return;
    await setTimeout(50);
  }
  assert.deepEqual(holdings(), before);
}

function loadHalfBad(): void {
  assert.throws(
    () =>
      loadObject(HALF_BAD, HALF_BAD.programs, {
        constants: {},
        sharedMaps: new Map(),
        admission: NO_GATE,
        needsEveryField: true,
        onMap: () => {},
      }),
    { code: 'PROGRAM_REFUSED' },
  );
}

guestTest(`${FAILING_LOADS} loads that fail half-way leave nothing behind`, { only: '6.1' }, async () => {
  loadHalfBad();
  const before = await settled();
  for (let load = 0; load < FAILING_LOADS; load++) loadHalfBad();
  await assertBackTo(before);
});

guestTest('sessions that come and go leave nothing behind', { needs: ['bpf-lsm'], only: '6.1' }, async () => {
  const text = policyText('leaks', { severity: 'low', attack: [] }, [
    { hook: 'net.connect', when: 'net.port == 1', effect: 'deny' },
  ]);
  const comeAndGo = (): void => {
    using enforcement = new Enforcement(text, { poll: true });
    assert.deepEqual(enforcement.take(), []);
  };
  comeAndGo();
  const before = await settled();
  for (let session = 0; session < SESSIONS; session++) comeAndGo();
  await assertBackTo(before);
});
