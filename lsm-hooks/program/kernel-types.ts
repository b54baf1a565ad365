import type { FieldPath, KernelMemberType, KernelStruct } from '../../engine/bytecode/index.js';

/**
 * The kernel types that hook programs read. Only names matter: CO-RE finds each member's place in the running
 * kernel's BTF, so order, gaps and sizes here are not those of any kernel.
 */

const u16: KernelMemberType = { kind: 'int', byteSize: 2, signed: false };
const u32: KernelMemberType = { kind: 'int', byteSize: 4, signed: false };
const s32: KernelMemberType = { kind: 'int', byteSize: 4, signed: true };
const u64: KernelMemberType = { kind: 'int', byteSize: 8, signed: false };
const text = (count: number): KernelMemberType => ({
  kind: 'array',
  element: { kind: 'int', byteSize: 1, signed: true },
  count,
});
const pointer = (to: string | null): KernelMemberType => ({ kind: 'pointer', to });
const embedded = (name: string): KernelMemberType => ({ kind: 'struct', name });

function struct(name: string, members: Readonly<Record<string, KernelMemberType>>): KernelStruct {
  return {
    name,
    kind: 'struct',
    members: Object.entries(members).map(([member, type]) => ({ name: member, type })),
  };
}

export const KERNEL_TYPES: readonly KernelStruct[] = [
  struct('kuid_t', { val: u32 }),
  struct('thread_info', { status: u32 }),
  struct('kernfs_node', { id: u64 }),
  struct('cgroup', { kn: pointer('kernfs_node') }),
  struct('css_set', { dfl_cgrp: pointer('cgroup') }),
  struct('cred', { uid: embedded('kuid_t'), gid: embedded('kuid_t') }),
  struct('qstr', { name: pointer(null), len: u32 }),
  struct('inode', { i_uid: embedded('kuid_t'), i_mode: u16, i_ino: u64 }),
  struct('dentry_operations', { d_dname: pointer(null) }),
  struct('dentry', {
    d_parent: pointer('dentry'),
    d_name: embedded('qstr'),
    d_op: pointer('dentry_operations'),
  }),
  struct('vfsmount', { mnt_root: pointer('dentry') }),
  struct('mount', {
    mnt_parent: pointer('mount'),
    mnt_mountpoint: pointer('dentry'),
    mnt: embedded('vfsmount'),
  }),
  struct('path', { mnt: pointer('vfsmount'), dentry: pointer('dentry') }),
  struct('file', { f_path: embedded('path'), f_inode: pointer('inode'), f_flags: u32 }),
  struct('fdtable', { max_fds: u32, fd: pointer(null) }),
  struct('files_struct', { fdt: pointer('fdtable') }),
  struct('mm_struct', { exe_file: pointer('file'), arg_start: u64, arg_end: u64 }),
  struct('task_struct', {
    thread_info: embedded('thread_info'),
    mm: pointer('mm_struct'),
    pid: s32,
    tgid: s32,
    real_parent: pointer('task_struct'),
    cred: pointer('cred'),
    comm: text(16),
    files: pointer('files_struct'),
    cgroups: pointer('css_set'),
  }),
  struct('pt_regs', { si: u64, dx: u64, orig_ax: u64 }),
  struct('linux_binprm', { file: pointer('file'), filename: pointer(null) }),
  struct('sockaddr', { sa_family: u16 }),
  struct('msghdr', { msg_name: pointer(null), msg_flags: u32 }),
  struct('in6_addr', {}),
  struct('sock_common', { skc_family: u16, skc_rcv_saddr: u32, skc_v6_rcv_saddr: embedded('in6_addr') }),
  struct('sock', { __sk_common: embedded('sock_common'), sk_protocol: u16 }),
  struct('socket', { sk: pointer('sock') }),
  struct('btf', { id: u32 }),
  struct('bpf_prog_aux', {
    attach_btf_id: u32,
    attach_btf: pointer('btf'),
    dst_prog: pointer('bpf_prog'),
    name: text(16),
  }),
  struct('bpf_insn', { off: { kind: 'int', byteSize: 2, signed: true }, imm: s32 }),
  struct('bpf_prog', {
    gpl_compatible: { kind: 'bits', bitCount: 1 },
    type: { kind: 'enum' },
    expected_attach_type: { kind: 'enum' },
    len: u32,
    aux: pointer('bpf_prog_aux'),
    insnsi: { kind: 'array', element: embedded('bpf_insn'), count: 0 },
  }),
  struct('bpf_map', { id: u32 }),
];

/** `kernelField('task_struct', 'mm')`, `kernelField('file', 'f_path', 'dentry')`. */
export function kernelField(structName: string, ...path: string[]): FieldPath {
  return { struct: structName, path };
}
