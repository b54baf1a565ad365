import { describe, expect, test } from 'vitest';
import type { GrantsDocument } from '../../../signing/trust/grants.js';
import { resolveGrants } from '../../../signing/trust/grants.js';
import {
  describeMissingGrant,
  missingGrants,
  type SignedContent,
} from '../../../signing/trust/missing-grants.js';
import { program } from './trust-evidence.js';

type Content = Partial<SignedContent['predicate']> & { readonly name?: string };

/** Sentences of what a signer with these grants may not sign. */
function missing(may: GrantsDocument | undefined, { name = 'edge-1', ...predicate }: Content = {}): string[] {
  const terms = { id: 'ci', ...(may === undefined ? {} : { may: resolveGrants(may) }) };
  const content = {
    name,
    predicate: { programs: [program()], policies: [], structOps: [], ...predicate },
  };
  return missingGrants(terms, content).map((grant) => `${grant.subject}: ${describeMissingGrant(grant)}`);
}

const RESTRICT = 'program file.bpf.o#lsm/file_open/restrict';

describe('a signer may sign', () => {
  test.each<{ name: string; may: GrantsDocument | undefined; content?: Content }>([
    { name: 'everything without grants', may: undefined },
    { name: 'what no dimension limits', may: { bundles: ['**'] } },
    { name: 'a bundle of a fitting name', may: { bundles: ['x', 'edge-*'] } },
    { name: 'a program of an allowed type', may: { programTypes: ['lsm'] } },
    { name: 'targets by pattern', may: { attachTargets: ['file_*'] } },
    { name: 'all helpers in a list', may: { helpers: { allow: ['bpf_get_*', 'bpf_ringbuf_output'] } } },
    { name: 'helpers that are not denied', may: { helpers: { deny: ['bpf_probe_write_user'] } } },
    { name: 'a program without kfuncs when none are allowed', may: { kfuncs: { allow: [] } } },
    { name: 'a denying program with the effect', may: { effects: ['audit', 'deny'] } },
    {
      name: 'a program that does nothing to tasks, to audit',
      may: { effects: ['audit'] },
      content: { programs: [program({ effects: [] })] },
    },
    {
      name: 'a program without target, by a pattern that matches nothing',
      may: { attachTargets: ['', 'file_*'] },
      content: { programs: [program({ attachTarget: '' })] },
    },
    {
      name: 'a program without target, by *',
      may: { attachTargets: ['*'], attachTypes: ['*'] },
      content: { programs: [program({ attachTarget: '', attachType: '' })] },
    },
    {
      name: 'a tracepoint of a subsystem',
      may: { attachTargets: ['syscalls/*'] },
      content: { programs: [program({ attachTarget: 'syscalls/sys_enter_openat' })] },
    },
    { name: 'nothing at all', may: { programTypes: ['xdp'] }, content: { programs: [] } },
    {
      name: 'callbacks of the kernel',
      may: { programTypes: ['struct_ops'], attachTargets: ['tcp_congestion_ops'] },
      content: { programs: [], structOps: [{ object: 'cc.bpf.o', name: 'cc', type: 'tcp_congestion_ops' }] },
    },
  ])('$name', ({ may, content }) => {
    expect(missing(may, content)).toEqual([]);
  });
});

describe('a signer may not sign', () => {
  test.each<{ name: string; may: GrantsDocument; content?: Content; says: readonly string[] }>([
    {
      name: 'a bundle of another name',
      may: { bundles: ['edge'] },
      says: ['bundle edge-1: the name edge-1 is not among its allowed bundles'],
    },
    {
      name: 'a bundle whose name contains the allowed one',
      may: { bundles: ['edge-*'] },
      content: { name: 'my-edge-1' },
      says: ['bundle my-edge-1: the name my-edge-1 is not among its allowed bundles'],
    },
    {
      name: 'another program type',
      may: { programTypes: ['cgroup_*', 'xdp'] },
      says: [`${RESTRICT}: program type lsm is not among its allowed program types`],
    },
    {
      name: 'another attach type',
      may: { attachTypes: ['lsm_cgroup'] },
      says: [`${RESTRICT}: attach type lsm_mac is not among its allowed attach types`],
    },
    {
      name: 'another target',
      may: { attachTargets: ['file_ioctl', 'socket_*'] },
      says: [`${RESTRICT}: attach target file_open is not among its allowed attach targets`],
    },
    {
      name: 'one helper of several',
      may: { helpers: { allow: ['bpf_get_*'] } },
      says: [`${RESTRICT}: helper bpf_ringbuf_output is not among its allowed helpers`],
    },
    {
      name: 'a denied helper, also when it is allowed',
      may: { helpers: { allow: ['**'], deny: ['bpf_ringbuf_output'] } },
      says: [`${RESTRICT}: helper bpf_ringbuf_output is among its denied helpers`],
    },
    {
      name: 'a helper that a pattern denies',
      may: { helpers: { deny: ['bpf_ring*'] } },
      says: [`${RESTRICT}: helper bpf_ringbuf_output is among its denied helpers (bpf_ring*)`],
    },
    {
      name: 'a helper of an unknown number',
      may: { helpers: { allow: ['bpf_*'] } },
      content: { programs: [program({ helpers: ['helper#999'] })] },
      says: [`${RESTRICT}: helper helper#999 is not among its allowed helpers`],
    },
    {
      name: 'a kfunc when none is allowed',
      may: { kfuncs: { allow: [] } },
      content: { programs: [program({ kfuncs: ['bpf_task_acquire'] })] },
      says: [`${RESTRICT}: kernel function bpf_task_acquire is not among its allowed kernel functions`],
    },
    {
      name: 'a program that can kill, to audit and deny',
      may: { effects: ['audit', 'deny'] },
      content: { programs: [program({ effects: ['deny', 'kill'] })] },
      says: [`${RESTRICT}: effect kill is not among its allowed effects`],
    },
    {
      name: 'a policy of another effect',
      may: { effects: ['audit'] },
      content: { programs: [], policies: [{ file: 'a.yaml', name: 'a', effects: ['audit', 'deny'] }] },
      says: ['policy a.yaml#a: effect deny is not among its allowed effects'],
    },
    {
      name: 'a program without target',
      may: { attachTargets: ['file_*'] },
      content: { programs: [program({ attachTarget: '' })] },
      says: [`${RESTRICT}: attach target "" (none) is not among its allowed attach targets`],
    },
    {
      name: 'callbacks of the kernel without the program type, even when no program implements one',
      may: { programTypes: ['lsm'] },
      content: { programs: [], structOps: [{ object: 'cc.bpf.o', name: 'cc', type: 'tcp_congestion_ops' }] },
      says: ['struct_ops cc.bpf.o#cc: program type struct_ops is not among its allowed program types'],
    },
    {
      name: 'callbacks of the kernel to audit, even when no program implements one: a scheduler needs none',
      may: { effects: ['audit'] },
      content: { programs: [], structOps: [{ object: 'scx.bpf.o', name: 'scx', type: 'sched_ext_ops' }] },
      says: ['struct_ops scx.bpf.o#scx: effect deny is not among its allowed effects'],
    },
    {
      name: 'several things, each named',
      may: { bundles: ['x'], programTypes: ['xdp'], effects: ['audit'] },
      says: [
        'bundle edge-1: the name edge-1 is not among its allowed bundles',
        `${RESTRICT}: program type lsm is not among its allowed program types`,
        `${RESTRICT}: effect deny is not among its allowed effects`,
      ],
    },
    ...['LSM', 'lsm ', 'l\u0455m', '\uff4csm', 'lsm\u0000', 'lsm_cgroup'].map((type) => ({
      name: `the program type ${JSON.stringify(type)} where lsm is allowed`,
      may: { programTypes: ['lsm'] },
      content: { programs: [program({ type })] },
      says: [`${RESTRICT}: program type ${type} is not among its allowed program types`],
    })),
  ])('$name', ({ may, content, says }) => {
    expect(missing(may, content)).toEqual(says);
  });

  test('says what is granted, as written', () => {
    const terms = { id: 'ci', may: resolveGrants({ helpers: { allow: ['a*'], deny: ['bpf_*'] } }) };
    const content = { name: 'x', predicate: { programs: [program()], policies: [], structOps: [] } };
    expect(missingGrants(terms, content)[0]).toEqual({
      subject: RESTRICT,
      grant: 'helpers',
      required: 'bpf_get_current_pid_tgid',
      allowed: ['a*'],
      deniedBy: 'bpf_*',
    });
  });
});
