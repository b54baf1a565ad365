import {
  buildEvent,
  decodeRecord,
  type EventContext,
  type HostIdentity,
  type ProgramRule,
  type VespidEvent,
} from '../../engine/events/index.js';
import { FILE_OPEN, NET_CONNECT, PROCESS_EXEC, PROGRAM_LOAD } from '../../lsm-hooks/index.js';
import { encodeRecord, integer, ipv4, type RawRecord, text } from './encode-record.js';

export const HOST: HostIdentity = {
  id: '6c15fa5fc94a49d9a3fceb27a7f645f7',
  name: 'node-1',
  bootId: '0b6cb0b3-5c3b-4b0e-8b1a-2b2b4a5f3d11',
};

export const BUNDLE = `sha256:${'ab'.repeat(32)}`;

export function rule(overrides: Partial<ProgramRule> = {}): ProgramRule {
  return {
    policy: 'protect-shadow',
    rule: 0,
    effect: 'deny',
    delivered: 'deny',
    severity: 'high',
    attack: ['T1003.008'],
    source: 'file.path == "/etc/shadow"',
    ...overrides,
  };
}

/** Cookie 1 is a program with the given rules, cookie 2 is the gate. */
export function contextOf(...rules: ProgramRule[]): EventContext {
  const gate = rule({ policy: 'gate', attack: ['T1014'], severity: 'critical', source: 'no ticket' });
  return {
    programs: new Map([
      [1, { kind: 'rules', bundleDigest: BUNDLE, rules }],
      [2, { kind: 'gate', bundleDigest: BUNDLE, rule: gate }],
    ]),
    host: HOST,
    clock: { bootToUnixNs: 1_790_000_000_000_000_000n },
  };
}

const PROCESS = {
  'process.pid': integer(4242),
  'process.tid': integer(4243),
  'process.ppid': integer(1),
  'process.uid': integer(1000),
  'process.gid': integer(1000),
  'process.cgroup_id': integer(2131),
  'process.comm': text('cat'),
  'process.exe': text('/usr/bin/cat'),
};

/** One record of each hook. */
export const SAMPLE_RECORDS = {
  'file.open': {
    hook: FILE_OPEN,
    timeNs: 12_345_678_901n,
    verdict: 'deny',
    fields: {
      ...PROCESS,
      'file.flags': integer(32_768),
      'file.mode': integer(33_184),
      'file.inode': integer(262_401),
      'file.name': text('shadow'),
      'file.path': text('/etc/shadow'),
    },
  },
  'process.exec': {
    hook: PROCESS_EXEC,
    timeNs: 12_345_678_902n,
    verdict: 'kill',
    fields: {
      ...PROCESS,
      'exec.mode': integer(33_261),
      'exec.inode': integer(131),
      'exec.name': text('payload'),
      'exec.path': text('/dev/shm/payload'),
      'exec.filename': text('./payload'),
      'exec.args': text('./payload --now'),
    },
  },
  'net.connect': {
    hook: NET_CONNECT,
    timeNs: 12_345_678_903n,
    verdict: 'audit',
    fields: {
      ...PROCESS,
      'net.address': ipv4(10, 0, 0, 7),
      'net.port': integer(4444),
      'net.family': integer(2),
      'net.protocol': integer(6),
    },
  },
  'program.load': {
    hook: PROGRAM_LOAD,
    timeNs: 12_345_678_904n,
    verdict: 'deny',
    programCookie: 2,
    matchedRules: 0n,
    fields: {
      ...PROCESS,
      'program.type': integer(13),
      'program.attach_type': integer(27),
      'program.instruction_count': integer(812),
      'program.digest': { kind: 'bytes', bytes: new Uint8Array(32).fill(0x9f) },
      'program.name': text('rootkit'),
    },
  },
} as const satisfies Record<string, RawRecord>;

export function eventOf(raw: RawRecord, context: EventContext = contextOf(rule())): VespidEvent {
  return buildEvent(decodeRecord(encodeRecord(raw)), context);
}

/** Distinct events in a row: the index is the process id. */
export function sampleEvents(count: number, firstPid = 0): VespidEvent[] {
  const sample = SAMPLE_RECORDS['file.open'];
  return Array.from({ length: count }, (_, index) =>
    eventOf({ ...sample, fields: { ...sample.fields, 'process.pid': integer(firstPid + index) } }),
  );
}
