import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MAP_TYPE, readObject } from '../../engine/bytecode/index.js';
import { BpfMap, Cgroup, unpin } from '../../engine/kernel/index.js';
import { KernelSession, planObject } from '../../engine/loader/index.js';
import { compileFixture } from '../bytecode/external-tools.js';
import { thrownBy } from '../policies/policy-text.js';
import { hostFeatures } from './plan-policies.js';
import { TestCgroup } from './test-cgroup.js';

const PIN = '/sys/fs/bpf/vespid_pinned';

const planOf = (fixture: string) =>
  planObject({ name: `${fixture}.bpf.o`, bytes: compileFixture(fixture) }, hostFeatures(), {
    degrade: false,
  });
const session = (scope?: Cgroup) =>
  new KernelSession({ scope, gate: undefined, features: hostFeatures(), ringBytes: 65_536 });

describe('a signed object that is not of our compiler', () => {
  test('leaves no name in the bpffs of the machine', () => {
    using kernel = session();
    kernel.load(planOf('collection'));
    expect(existsSync(PIN)).toBe(false);
  });

  test('gets no map that another has pinned there', () => {
    const declared = readObject(compileFixture('collection'), 'collection.bpf.o').maps.find(
      ({ name }) => name === 'vespid_pinned',
    );
    if (declared === undefined) throw new Error('the fixture has no such map');
    const { name, keySize, valueSize, maxEntries, flags } = declared;
    using others = BpfMap.create({ name, type: MAP_TYPE.hash, keySize, valueSize, maxEntries, flags });
    others.pin(PIN);
    try {
      using kernel = session();
      const { loaded } = kernel.load(planOf('collection'));
      expect(loaded.map('vespid_pinned').id()).not.toBe(others.id());
    } finally {
      unpin(PIN);
    }
  });

  test('registers no struct_ops for a cgroup: the kernel asks them for all', async () => {
    await using directory = new TestCgroup('foreign');
    using scope = Cgroup.open(directory.path);
    using kernel = session(scope);
    const plan = planOf('congestion');
    expect(plan.object.structOps.length).toBeGreaterThan(0);
    const onlyStructOps = { ...plan, programs: [] };
    expect(thrownBy(() => kernel.load(onlyStructOps)).code).toBe('OBJECT_UNSUPPORTED');
    expect(thrownBy(() => kernel.load(planOf('collection'))).code).toBe('OBJECT_UNSUPPORTED');
  });
});
