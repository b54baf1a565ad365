import { expect, test } from 'vitest';
import { parseSectionName } from '../../../engine/bytecode/index.js';
import { expectCode } from '../documented-errors.js';

test.each([
  ['lsm/file_open', 29, 27, 'file_open', 'function bpf_lsm_file_open', false],
  ['lsm.s/bprm_check_security', 29, 27, 'bprm_check_security', 'function bpf_lsm_bprm_check_security', true],
  ['lsm_cgroup/socket_bind', 29, 43, 'socket_bind', 'function bpf_lsm_socket_bind', false],
  ['tp_btf/sched_switch', 26, 23, 'sched_switch', 'typedef btf_trace_sched_switch', false],
  ['fentry/do_unlinkat', 26, 24, 'do_unlinkat', 'function do_unlinkat', false],
  ['fexit.s/do_unlinkat', 26, 25, 'do_unlinkat', 'function do_unlinkat', true],
  ['fmod_ret/security_file_open', 26, 26, 'security_file_open', 'function security_file_open', false],
  ['iter/task', 26, 28, 'task', 'function bpf_iter_task', false],
  ['raw_tp/sys_enter', 17, 0, 'sys_enter', null, false],
  ['raw_tracepoint/sys_enter', 17, 0, 'sys_enter', null, false],
  ['tracepoint/syscalls/sys_enter_openat', 5, 0, 'syscalls/sys_enter_openat', null, false],
  ['tp/sched/sched_process_exec', 5, 0, 'sched/sched_process_exec', null, false],
  ['kprobe/do_sys_open', 2, 0, 'do_sys_open', null, false],
  ['kretprobe/do_sys_open', 2, 0, 'do_sys_open', null, false],
  ['kprobe', 2, 0, null, null, false],
  ['uprobe//bin/bash:readline', 2, 0, '/bin/bash:readline', null, false],
  ['socket', 1, 0, null, null, false],
  ['xdp', 6, 37, null, null, false],
  ['tc', 3, 0, null, null, false],
  ['classifier', 3, 0, null, null, false],
  ['perf_event', 7, 0, null, null, false],
  ['syscall', 31, 0, null, null, true],
  ['cgroup/connect4', 18, 10, null, null, false],
  ['cgroup/connect6', 18, 11, null, null, false],
  ['cgroup/bind4', 18, 8, null, null, false],
  ['cgroup/bind6', 18, 9, null, null, false],
  ['cgroup/sendmsg4', 18, 14, null, null, false],
  ['cgroup/sendmsg6', 18, 15, null, null, false],
  ['cgroup_skb/ingress', 8, 0, null, null, false],
  ['cgroup_skb/egress', 8, 1, null, null, false],
  ['cgroup/sock_create', 9, 2, null, null, false],
  ['struct_ops', 27, 0, null, null, false],
  ['struct_ops.s/init', 27, 0, 'init', null, true],
  ['sk_skb/verdict', 14, 38, null, null, false],
  ['freplace/classify', 28, 0, 'classify', null, false],
  ['fentry', 26, 24, null, null, false],
  ['lsm/', 29, 27, null, null, false],
  ['tc/ingress', 3, 46, null, null, false],
  ['tcx/egress', 3, 47, null, null, false],
  ['netkit/primary', 3, 54, null, null, false],
  ['netkit/peer', 3, 55, null, null, false],
  ['netfilter', 32, 45, null, null, false],
  ['usdt.s', 2, 0, null, null, true],
  ['kprobe.session/vfs_*', 2, 56, 'vfs_*', null, false],
  ['uprobe.multi/a:b', 2, 48, 'a:b', null, false],
  ['uretprobe.multi.s/a:b', 2, 48, 'a:b', null, true],
  ['uprobe.session.s', 2, 57, null, null, true],
  ['cgroup/connect_unix', 18, 49, null, null, false],
  ['cgroup/sendmsg_unix', 18, 50, null, null, false],
  ['cgroup/recvmsg_unix', 18, 51, null, null, false],
  ['cgroup/getpeername_unix', 18, 52, null, null, false],
  ['cgroup/getsockname_unix', 18, 53, null, null, false],
])('%s', (section, programType, attachType, attachTarget, attachBtf, sleepable) => {
  const meaning = parseSectionName(section);
  const btf = meaning.attachBtf === null ? null : `${meaning.attachBtf.kind} ${meaning.attachBtf.name}`;
  expect({ ...meaning, attachBtf: btf }).toMatchObject({
    programType,
    attachType,
    attachTarget,
    attachBtf,
    sleepable,
    hasFragments: false,
    isLoadedByDefault: true,
  });
});

test('a question mark says that the program is loaded only where it is asked for', () => {
  expect(parseSectionName('?lsm/file_open')).toMatchObject({ programType: 29, isLoadedByDefault: false });
});

test.each([
  ['fentry', 'kernel'],
  ['lsm/file_open', 'kernel'],
  ['freplace', 'program'],
  ['xdp', 'none'],
  ['kprobe/f', 'none'],
])('%s is loaded for: %s', (section, needsTarget) => {
  expect(parseSectionName(section)).toMatchObject({ needsTarget });
});

test('suggests the name that was meant', () => {
  expect(() => parseSectionName('cgroup/conect4')).toThrow(
    expect.objectContaining({ hint: 'did you mean cgroup/connect4?' }),
  );
});

test('fragments are a property of the section', () => {
  expect(parseSectionName('xdp.frags')).toMatchObject({ programType: 6, hasFragments: true });
});

test.each(['', '/', 'lsmx/file_open', 'xdp/x', 'cgroup/none', 'toString/x', '__proto__', '.text'])(
  'refuses %j',
  (section) => {
    expectCode('OBJECT_SECTION_UNKNOWN', () => parseSectionName(section));
  },
);
