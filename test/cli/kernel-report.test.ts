import { describe, expect, it, test } from 'vitest';
import { requireUsableBpf } from '../../engine/cli/commands/doctor.js';
import { describeKernel } from '../../engine/cli/kernel-report.js';
import { withProbes } from '../../engine/cli/probe-report.js';
import type { GateLevel, KernelFeatures } from '../../engine/kernel/index.js';

type FeatureName = Exclude<keyof KernelFeatures, 'release' | 'gate'>;

/** A machine with these features and no other. */
function machine(available: readonly FeatureName[], gate: GateLevel = 'none'): KernelFeatures {
  const feature = (name: FeatureName) => {
    const isAvailable = available.includes(name);
    return { available: isAvailable, reason: isAvailable ? '' : `no ${name}`, since: '5.5' };
  };
  return {
    release: '6.12.0-test',
    btf: feature('btf'),
    ringBuffer: feature('ringBuffer'),
    bpfLsm: feature('bpfLsm'),
    trampolines: feature('trampolines'),
    tracepointBtf: feature('tracepointBtf'),
    cgroupSockAddr: feature('cgroupSockAddr'),
    gate,
  };
}

const EVERYTHING = machine(
  ['btf', 'ringBuffer', 'bpfLsm', 'trampolines', 'tracepointBtf', 'cgroupSockAddr'],
  'before-verifier',
);
const NO_LSM = machine(['btf', 'ringBuffer', 'tracepointBtf', 'cgroupSockAddr']);
const BARE = machine(['btf', 'ringBuffer']);

describe('describeKernel', () => {
  it('gives deny by BPF LSM where there is BPF LSM', () => {
    const { json, text } = describeKernel(EVERYTHING);
    const ability = { attach: 'lsm', effects: ['audit', 'deny', 'kill'], refused: {}, passedOver: [] };
    expect(json).toMatchObject({
      kernel: '6.12.0-test',
      features: { bpfLsm: { available: true, since: '5.5' } },
      hooks: [
        { hook: 'process.exec', ...ability },
        { hook: 'file.open', ...ability },
        { hook: 'net.connect', ...ability },
      ],
      gate: { level: 'before-verifier' },
    });
    expect(text).not.toContain('refuses');
  });

  it('gives kill or a cgroup deny without BPF LSM, and says why', () => {
    const { json, text } = describeKernel(NO_LSM);
    expect(json).toMatchObject({
      hooks: [
        {
          hook: 'process.exec',
          attach: 'tracepoint',
          effects: ['audit', 'kill'],
          refused: { deny: { instead: 'kill' } },
          passedOver: [{ attach: 'lsm', reason: 'no bpfLsm' }],
        },
        {
          hook: 'file.open',
          attach: 'tracepoint',
          effects: ['audit', 'kill'],
          refused: { deny: { instead: 'kill' } },
        },
        {
          hook: 'net.connect',
          attach: 'cgroup',
          effects: ['audit', 'deny'],
          refused: { kill: { instead: 'deny' } },
        },
      ],
      gate: { level: 'none' },
    });
    expect(text).toMatch(/refuses +deny: .*--degrade gives kill instead/);
    expect(text).toMatch(/guarantee +deny gives the caller EPERM and no packet is sent/);
  });

  it('says of a hook that cannot be attached why', () => {
    const { json, text } = describeKernel(BARE);
    expect(json).toMatchObject({
      hooks: [{ attach: null, effects: [], sections: [] }, { attach: null }, { attach: null }],
    });
    expect(text).toMatch(/cannot attach +tracepoint: no tracepointBtf/);
  });

  it.each(['before-verifier', 'after-verifier', 'none'] as const)('explains the gate level %s', (gate) => {
    const last = describeKernel(machine([], gate)).text.split('\n').at(-1) ?? '';
    expect(last).toMatch(new RegExp(`^gate {2}${gate}\\. [\`A-Z].*\\.$`));
  });
});

test('with every probe, the report keeps what it says without them', () => {
  const report = describeKernel(BARE);
  const probes = new Map([['map/arena', { available: false, reason: 'EINVAL', since: '6.9' }]]);
  const { text, json } = withProbes(report, probes);
  expect(text.startsWith(`${report.text}\n\n`)).toBe(true);
  expect(text).toMatch(/map\/arena +no +6\.9 +EINVAL$/);
  expect(json).toEqual({ ...report.json, probes: { 'map/arena': probes.get('map/arena') } });
});

describe('requireUsableBpf', () => {
  const noCapabilities = 0n;
  const allCapabilities = (1n << 41n) - 1n;

  it('passes where anything can be tried', () => {
    expect(() => requireUsableBpf(BARE, noCapabilities)).not.toThrow();
  });

  it('asks for privileges where they are missing', () => {
    expect(() => requireUsableBpf(machine(['btf']), noCapabilities)).toThrow(
      expect.objectContaining({ code: 'KERNEL_PERMISSION', exitCode: 4 }),
    );
  });

  it('gives up where privileges do not help', () => {
    expect(() => requireUsableBpf(machine(['btf']), allCapabilities)).toThrow(
      expect.objectContaining({ code: 'KERNEL_UNSUPPORTED', exitCode: 4 }),
    );
  });
});
