import { describe, expect, test } from 'vitest';
import { assemble, writeObject } from '../../../engine/bytecode/index.js';
import { type ClaimedFile, checkFileClaims, computeFileClaims } from '../../../engine/loader/index.js';
import type { BundlePredicate, PolicyClaim, ProgramClaim } from '../../../signing/index.js';
import { expectRefusal, utf8 } from '../../signing/sample-bundle.js';

const TEXT = `.map counts type=array key=4 value=8 entries=2
.function main lsm/file_open
  r1 = 9
  call bpf_send_signal
  r1 = counts ll
  r0 = 0
  exit
`;

function objectOf(text: string): ClaimedFile {
  const parts = { license: 'GPL', constants: [], kernelTypes: [], metadata: new Uint8Array() };
  return { kind: 'object', name: 'a.bpf.o', bytes: writeObject({ ...parts, ...assemble(text) }) };
}

const OBJECT = objectOf(TEXT);
const POLICY: ClaimedFile = {
  kind: 'policy',
  name: 'a.yaml',
  bytes: utf8(`apiVersion: vespid.dev/v1
kind: Policy
metadata: { name: shadow }
spec:
  severity: low
  rules:
    - { hook: file.open, when: 'file.path == "/etc/shadow"', effect: deny }
    - { hook: process.exec, when: 'process.uid == 0', effect: audit }
---
apiVersion: vespid.dev/v1
kind: Policy
metadata: { name: second }
spec:
  severity: low
  rules:
    - { hook: file.open, when: 'file.path == "/etc/passwd"', effect: audit }
`),
};

function predicateOf(...files: readonly ClaimedFile[]): BundlePredicate {
  const claims = files.map(computeFileClaims);
  return {
    compiler: { name: 'vespid', version: '1.0.0' },
    programs: claims.flatMap(({ programs }) => programs),
    policies: claims.flatMap(({ policies }) => policies),
    structOps: claims.flatMap(({ structOps }) => structOps),
  };
}

const TRUE = predicateOf(OBJECT, POLICY);

test('what is stated of a program', () => {
  expect(TRUE.programs).toEqual([
    {
      ...{ object: 'a.bpf.o', section: 'lsm/file_open', name: 'main', type: 'lsm' },
      ...{ attachType: 'lsm_mac', attachTarget: 'file_open', license: 'GPL', instructionCount: 6 },
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      maps: [{ name: 'counts', type: 'array', keySize: 4, valueSize: 8, maxEntries: 2, flags: 0 }],
      ...{ helpers: ['bpf_send_signal'], kfuncs: [], kernelSymbols: [], sleepable: false },
      ...{ coreRelocationCount: 0, effects: ['kill'] },
    },
  ]);
});

test.each([
  ['cgroup_skb/ingress', 'cgroup_skb', 'cgroup_inet_ingress'],
  ['cgroup/connect4', 'cgroup_sock_addr', 'cgroup_inet4_connect'],
  ['lsm.s/file_open', 'lsm', 'lsm_mac'],
  ['tc', 'sched_cls', ''],
  ['kprobe/f', 'kprobe', ''],
  ['?tp_btf/sched_switch', 'tracing', 'trace_raw_tp'],
])('%s is of type %s and attach type "%s"', (section, type, attachType) => {
  const file = objectOf(`.function main ${section}\nr0 = 1\nexit`);
  expect(computeFileClaims(file).programs).toMatchObject([{ section, type, attachType }]);
});

test('helpers have the kernel’s names, and numbers where we know none', () => {
  const file = objectOf('.function main tc\ncall bpf_redirect\ncall 4000\nr0 = 1\nexit');
  expect(computeFileClaims(file).programs[0]?.helpers).toEqual(['bpf_redirect', 'helper#4000']);
});

test('what is stated of policies', () => {
  expect(TRUE.policies).toMatchObject([
    { file: 'a.yaml', name: 'shadow', hooks: ['file.open', 'process.exec'], effects: ['deny', 'audit'] },
    { file: 'a.yaml', name: 'second', hooks: ['file.open'], effects: ['audit'] },
  ]);
});

test('true claims pass', () => {
  checkFileClaims(TRUE, OBJECT);
  checkFileClaims(TRUE, POLICY);
});

describe('false claims about a program', () => {
  const map = TRUE.programs[0]?.maps[0];
  if (map === undefined) throw new Error('no map');
  test.each<{ member: keyof ProgramClaim; change: Partial<ProgramClaim>; says: string }>([
    {
      member: 'helpers',
      change: { helpers: [] },
      says: 'helpers: the attestation states [], but it also calls bpf_send_signal',
    },
    {
      member: 'helpers',
      change: { helpers: ['bpf_loop', 'bpf_send_signal'] },
      says: 'helpers: the attestation states [bpf_loop, bpf_send_signal], but nothing in it calls bpf_loop',
    },
    { member: 'kfuncs', change: { kfuncs: ['bpf_throw'] }, says: 'nothing in it calls bpf_throw' },
    { member: 'kernelSymbols', change: { kernelSymbols: ['jiffies'] }, says: 'nothing in it uses jiffies' },
    { member: 'effects', change: { effects: [] }, says: 'but it also can kill' },
    { member: 'effects', change: { effects: ['deny', 'kill'] }, says: 'nothing in it can deny' },
    { member: 'type', change: { type: 'xdp' }, says: 'type: the attestation states "xdp", found "lsm"' },
    { member: 'attachType', change: { attachType: '' }, says: 'found "lsm_mac"' },
    { member: 'attachTarget', change: { attachTarget: 'file_close' }, says: 'found "file_open"' },
    { member: 'license', change: { license: 'MIT' }, says: 'found "GPL"' },
    { member: 'instructionCount', change: { instructionCount: 5 }, says: 'states 5, found 6' },
    { member: 'sha256', change: { sha256: '0'.repeat(64) }, says: 'sha256: the attestation states "000' },
    { member: 'sleepable', change: { sleepable: true }, says: 'states true, found false' },
    { member: 'coreRelocationCount', change: { coreRelocationCount: 1 }, says: 'states 1, found 0' },
    {
      member: 'maps',
      change: { maps: [] },
      says: 'maps: the attestation states [], found [{"name":"counts"',
    },
    { member: 'maps', change: { maps: [{ ...map, flags: 1 }] }, says: '"flags":1' },
    { member: 'maps', change: { maps: [{ ...map, type: 'hash' }] }, says: '"type":"hash"' },
  ])('$member: $says', ({ member, change, says }) => {
    const programs = TRUE.programs.map((claim) => ({ ...claim, ...change }));
    const refusal = expectRefusal('BUNDLE_CLAIM_FALSE', () => checkFileClaims({ ...TRUE, programs }, OBJECT));
    expect(refusal.message).toContain('program a.bpf.o#lsm/file_open/main: ');
    expect(refusal.message).toContain(says);
    expect(refusal.details).toMatchObject({ claim: 'program a.bpf.o#lsm/file_open/main', member });
  });

  test.each<{ name: string; programs: readonly ProgramClaim[]; says: string }>([
    { name: 'none', programs: [], says: 'the attestation does not state it' },
    {
      name: 'one more',
      programs: TRUE.programs.flatMap((claim) => [claim, { ...claim, name: 'other' }]),
      says: 'other: the attestation states it, but a.bpf.o does not hold it',
    },
    {
      name: 'twice, the true one last',
      programs: TRUE.programs.flatMap((claim) => [{ ...claim, helpers: [] }, claim]),
      says: 'twice',
    },
  ])('$name', ({ programs, says }) => {
    const refusal = expectRefusal('BUNDLE_CLAIM_FALSE', () => checkFileClaims({ ...TRUE, programs }, OBJECT));
    expect(refusal.message).toContain(says);
  });
});

describe('false claims about a policy', () => {
  test.each<{ change: Partial<PolicyClaim>; says: string }>([
    { change: { name: 'harmless' }, says: 'a.yaml#shadow: the attestation does not state it' },
    { change: { effects: ['audit'] }, says: 'states [audit], but it also can deny' },
    { change: { hooks: ['file.open'] }, says: 'but it also is on process.exec' },
    { change: { digest: `sha256:${'0'.repeat(64)}` }, says: 'digest: the attestation states "sha256:000' },
  ])('$says', ({ change, says }) => {
    const policies = TRUE.policies.map((claim, index) => (index === 0 ? { ...claim, ...change } : claim));
    const refusal = expectRefusal('BUNDLE_CLAIM_FALSE', () => checkFileClaims({ ...TRUE, policies }, POLICY));
    expect(refusal.message).toContain(says);
  });
});

test.each<{ name: string; file: ClaimedFile; cause: string }>([
  { name: 'no YAML', file: { ...POLICY, bytes: utf8('{') }, cause: 'POLICY_' },
  { name: 'a policy that is none', file: { ...POLICY, bytes: utf8('kind: Policy\n') }, cause: 'POLICY_' },
  { name: 'no UTF-8', file: { ...POLICY, bytes: Uint8Array.of(0xff) }, cause: 'INPUT_NOT_TEXT' },
  { name: 'no ELF', file: { ...OBJECT, bytes: utf8('elf') }, cause: 'ELF_' },
  {
    name: 'no program',
    file: objectOf('.map m type=array key=4 value=8 entries=1\n.function inner\nr0 = 0\nexit'),
    cause: 'OBJECT_UNSUPPORTED',
  },
])('$name is a refusal', ({ file, cause }) => {
  const refusal = expectRefusal('BUNDLE_CLAIM_FALSE', () => checkFileClaims(TRUE, file));
  expect(refusal.details?.['cause']).toContain(cause);
});

describe('objects that are made to be slow', () => {
  /** Programs that all reach the same chain of functions. */
  function sharing(programCount: number, functionCount: number, slotCount: number): ClaimedFile {
    const filler = Array.from({ length: slotCount }, (_, i) => `r${i % 5} = ${i}`).join('\n');
    const functions = Array.from({ length: functionCount }, (_, i) => {
      const call = i + 1 < functionCount ? `call f${i + 1}\n` : '';
      return `.function f${i}\n${call}${filler}\nr0 = 0\nexit`;
    });
    const programs = Array.from(
      { length: programCount },
      (_, i) => `.function p${i} lsm/file_open\ncall f0\nr0 = 0\nexit`,
    );
    return objectOf([...programs, ...functions].join('\n'));
  }

  test('a thousand programs that share what is large are refused in time', () => {
    const file = sharing(1000, 8, 2000);
    const start = performance.now();
    expectRefusal('BUNDLE_CLAIM_FALSE', () => checkFileClaims(TRUE, file));
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test('a hundred programs that share what is usual are not', () => {
    const file = sharing(100, 8, 200);
    expect(computeFileClaims(file).programs).toHaveLength(100);
  });
});
