import { release } from 'node:os';
import { describe, expect, test } from 'vitest';
import { FEATURE_PROBES, probeFeature, probeHelper, probeKernel } from '../../engine/kernel/index.js';
import { thrownBy } from '../policies/policy-text.js';
import { heldObjects } from './bpf-objects.js';
import { exemption, isAtLeast, runningConfig } from './kernel-expectations.js';

const kernel = { release: release(), config: runningConfig(), trampolines: probeKernel().trampolines };

describe('a kernel new enough has each feature, unless its own configuration or a stated reason says no', () => {
  test.each([...FEATURE_PROBES.values()])('$name, since $since', (probe) => {
    const reason = exemption(probe, kernel);
    const feature = probeFeature(probe.name);
    if (reason === undefined) expect(feature).toEqual({ available: true, reason: '', since: probe.since });
    // What the kernel need not have must at least be told with its reason, or be there after all (a backport).
    else expect(feature.available).toBe(feature.reason === '');
  });

  test('exemptions are the exception', () => {
    const exempt = [...FEATURE_PROBES.values()].filter((probe) => exemption(probe, kernel) !== undefined);
    expect(exempt.length).toBeLessThan(FEATURE_PROBES.size / 4);
  });
});

describe('probes', () => {
  test('leave nothing behind', () => {
    const before = heldObjects();
    for (const { attempt } of FEATURE_PROBES.values()) {
      try {
        attempt();
      } catch {
        // Features that are missing are a matter of the tests above.
      }
    }
    expect(heldObjects()).toEqual(before);
  });

  test('are asked once', () => {
    expect(probeFeature('map/hash')).toBe(probeFeature('map/hash'));
    expect(thrownBy(() => probeFeature('map/none')).code).toBe('USAGE');
  });

  test('find a helper in the types that have it, and not in others', () => {
    expect(probeHelper('xdp_adjust_head', 'xdp')).toEqual({ available: true, reason: '' });
    expect(probeHelper('xdp_adjust_head', 'socket-filter')).toEqual({
      available: false,
      reason: 'a socket-filter program cannot call bpf_xdp_adjust_head',
    });
    expect(probeHelper('map_lookup_elem', 'cgroup-skb').available).toBe(true);
  });

  test.each([
    { running: '6.12.9-cloud', since: '6.9', expected: true },
    { running: '6.1.0-28-amd64', since: '6.1', expected: true },
    { running: '6.1.0-28-amd64', since: '6.10', expected: false },
    { running: '5.15.0', since: '6.0', expected: false },
  ])('$running is at least $since: $expected', ({ running, since, expected }) => {
    expect(isAtLeast(running, since)).toBe(expected);
  });
});
