import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ATTACH_TYPE, PROGRAM_TYPE } from '../../engine/bytecode/index.js';
import { attachProgramTo, openRawTracepoint } from '../../engine/kernel/commands/link-commands.js';
import { loadProbe, returning } from '../../engine/kernel/features/probe-program.js';
import {
  Cgroup,
  cgroupRoot,
  OwnedFd,
  queryPrograms,
  queryTaskFd,
  ResourceStack,
} from '../../engine/kernel/index.js';
import { thrownBy } from '../policies/policy-text.js';

let resources = new ResourceStack();
afterEach(() => {
  resources[Symbol.dispose]();
  resources = new ResourceStack();
});

describe('what is attached', () => {
  test('to a cgroup: the ids of its programs, and none after they are detached', () => {
    const path = join(cgroupRoot(), `vespid-query-${process.pid}`);
    mkdirSync(path);
    resources.use({ [Symbol.dispose]: () => rmdirSync(path) });
    const cgroup = resources.use(Cgroup.open(path));
    const attachType = ATTACH_TYPE['cgroup-inet-egress'];
    const program = resources.use(
      loadProbe({
        type: PROGRAM_TYPE['cgroup-skb'],
        expectedAttachType: attachType,
        instructions: returning(1),
      }),
    );
    const attachment = { target: cgroup.fd, programFd: program.fd, attachType, flags: 0 };
    const ids = () => [...queryPrograms(cgroup.fd, attachType, 0, 'the cgroup').programIds];
    expect(ids()).toEqual([]);
    attachProgramTo('PROG_ATTACH', attachment, 'the cgroup');
    expect(ids()).toEqual([program.info().id]);
    attachProgramTo('PROG_DETACH', attachment, 'the cgroup');
    expect(ids()).toEqual([]);
  });

  test('behind a descriptor of a process: the tracepoint and the program', () => {
    const program = resources.use(loadProbe({ type: PROGRAM_TYPE['raw-tracepoint'] }));
    const link = resources.use(
      new OwnedFd(openRawTracepoint(program.fd, 'sched_process_exec', 0n, 'a tracepoint')),
    );
    expect(queryTaskFd(process.pid, link.fd)).toEqual({
      programId: program.info().id,
      fdType: 0,
      name: 'sched_process_exec',
      probeOffset: 0n,
      probeAddress: 0n,
    });
    expect(thrownBy(() => queryTaskFd(process.pid, program.fd)).code).toBe('KERNEL_CALL_FAILED');
  });
});
