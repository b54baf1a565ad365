import assert from 'node:assert/strict';
import { release } from 'node:os';
import { FEATURE_PROBES, probeFeature, probeKernel } from '../../../engine/kernel/index.js';
import { exemption, runningConfig } from '../../host/kernel-expectations.js';
import { guestTest } from './guest-test.js';

const kernel = { release: release(), config: runningConfig(), trampolines: probeKernel().trampolines };

guestTest('the kernel has trampolines: none of its features is excused by their absence', {}, () => {
  assert.equal(kernel.trampolines.reason, '');
});

guestTest('a kernel that is new enough has every feature, unless its configuration leaves it out', {}, () => {
  const missing = [...FEATURE_PROBES.values()]
    .filter((probe) => exemption(probe, kernel) === undefined)
    .map(({ name, since }) => ({ name, since, feature: probeFeature(name) }))
    .filter(({ feature }) => !feature.available)
    .map(({ name, since, feature }) => `${name}, since ${since}: ${feature.reason}`);
  assert.deepEqual(missing, []);
});
