/**
 * Byte offsets in `union bpf_attr` of include/uapi/linux/bpf.h, by the header's own names, one table for each
 * struct in the union. Fields that newer kernels added stand at the end of their struct; a kernel that does not
 * know them takes them as long as they are zero (`bpf_check_uarg_tail_zero` of kernel/bpf/syscall.c).
 * `test/kernel/attribute-layout.test.ts` holds every offset to a C compiler's, `test/host/kernel-layout.test.ts`
 * to the running kernel's.
 */

/** BPF_MAP_CREATE */
export const MAP_CREATE = {
  map_type: 0,
  key_size: 4,
  value_size: 8,
  max_entries: 12,
  map_flags: 16,
  inner_map_fd: 20,
  numa_node: 24,
  map_name: 28,
  map_ifindex: 44,
  btf_fd: 48,
  btf_key_type_id: 52,
  btf_value_type_id: 56,
  btf_vmlinux_value_type_id: 60,
  map_extra: 64,
  value_type_btf_obj_fd: 72,
  map_token_fd: 76,
  excl_prog_hash: 80,
  excl_prog_hash_size: 88,
} as const;

/** BPF_MAP_*_ELEM, BPF_MAP_GET_NEXT_KEY and BPF_MAP_FREEZE */
export const MAP_ELEMENT = { map_fd: 0, key: 8, value: 16, next_key: 16, flags: 24 } as const;

/** BPF_MAP_*_BATCH */
export const MAP_BATCH = {
  in_batch: 0,
  out_batch: 8,
  keys: 16,
  values: 24,
  count: 32,
  map_fd: 36,
  elem_flags: 40,
  flags: 48,
} as const;

/** BPF_PROG_LOAD */
export const PROGRAM_LOAD = {
  prog_type: 0,
  insn_cnt: 4,
  insns: 8,
  license: 16,
  log_level: 24,
  log_size: 28,
  log_buf: 32,
  kern_version: 40,
  prog_flags: 44,
  prog_name: 48,
  prog_ifindex: 64,
  expected_attach_type: 68,
  prog_btf_fd: 72,
  func_info_rec_size: 76,
  func_info: 80,
  func_info_cnt: 88,
  line_info_rec_size: 92,
  line_info: 96,
  line_info_cnt: 104,
  attach_btf_id: 108,
  attach_prog_fd: 112,
  attach_btf_obj_fd: 112,
  core_relo_cnt: 116,
  fd_array: 120,
  core_relos: 128,
  core_relo_rec_size: 136,
  log_true_size: 140,
  prog_token_fd: 144,
  fd_array_cnt: 148,
  signature: 152,
  signature_size: 160,
  keyring_id: 164,
} as const;

/** BPF_OBJ_PIN and BPF_OBJ_GET */
export const OBJECT_PATH = { pathname: 0, bpf_fd: 8, file_flags: 12, path_fd: 16 } as const;

/** BPF_PROG_ATTACH and BPF_PROG_DETACH */
export const PROGRAM_ATTACH = {
  target_fd: 0,
  target_ifindex: 0,
  attach_bpf_fd: 4,
  attach_type: 8,
  attach_flags: 12,
  replace_bpf_fd: 16,
  relative_fd: 20,
  relative_id: 20,
  expected_revision: 24,
} as const;

/** BPF_PROG_TEST_RUN */
export const TEST_RUN = {
  prog_fd: 0,
  retval: 4,
  data_size_in: 8,
  data_size_out: 12,
  data_in: 16,
  data_out: 24,
  repeat: 32,
  duration: 36,
  ctx_size_in: 40,
  ctx_size_out: 44,
  ctx_in: 48,
  ctx_out: 56,
  flags: 64,
  cpu: 68,
  batch_size: 72,
} as const;

/** BPF_*_GET_NEXT_ID and BPF_*_GET_FD_BY_ID */
export const OBJECT_ID = {
  start_id: 0,
  prog_id: 0,
  map_id: 0,
  btf_id: 0,
  link_id: 0,
  next_id: 4,
  open_flags: 8,
  fd_by_id_token_fd: 12,
} as const;

/** BPF_OBJ_GET_INFO_BY_FD */
export const OBJECT_INFO = { bpf_fd: 0, info_len: 4, info: 8 } as const;

/** BPF_PROG_QUERY */
export const PROGRAM_QUERY = {
  target_fd: 0,
  target_ifindex: 0,
  attach_type: 4,
  query_flags: 8,
  attach_flags: 12,
  prog_ids: 16,
  count: 24,
  prog_attach_flags: 32,
  link_ids: 40,
  link_attach_flags: 48,
  revision: 56,
} as const;

/** BPF_RAW_TRACEPOINT_OPEN */
export const RAW_TRACEPOINT_OPEN = { name: 0, prog_fd: 8, cookie: 16 } as const;

/** BPF_BTF_LOAD */
export const BTF_LOAD = {
  btf: 0,
  btf_log_buf: 8,
  btf_size: 16,
  btf_log_size: 20,
  btf_log_level: 24,
  btf_log_true_size: 28,
  btf_flags: 32,
  btf_token_fd: 36,
} as const;

/** BPF_TASK_FD_QUERY */
export const TASK_FD_QUERY = {
  pid: 0,
  fd: 4,
  flags: 8,
  buf_len: 12,
  buf: 16,
  prog_id: 24,
  fd_type: 28,
  probe_offset: 32,
  probe_addr: 40,
} as const;

/** BPF_LINK_CREATE: what all families have; the union behind it is in {@link LINK_CREATE_FAMILY}. */
export const LINK_CREATE = {
  prog_fd: 0,
  map_fd: 0,
  target_fd: 4,
  target_ifindex: 4,
  attach_type: 8,
  flags: 12,
} as const;

/** The union at the end of BPF_LINK_CREATE. */
export const LINK_CREATE_FAMILY = {
  target_btf_id: 16,
  iter_info: 16,
  iter_info_len: 24,
  'perf_event.bpf_cookie': 16,
  'kprobe_multi.flags': 16,
  'kprobe_multi.cnt': 20,
  'kprobe_multi.syms': 24,
  'kprobe_multi.addrs': 32,
  'kprobe_multi.cookies': 40,
  'tracing.target_btf_id': 16,
  'tracing.cookie': 24,
  'netfilter.pf': 16,
  'netfilter.hooknum': 20,
  'netfilter.priority': 24,
  'netfilter.flags': 28,
  'tcx.relative_fd': 16,
  'tcx.relative_id': 16,
  'tcx.expected_revision': 24,
  'uprobe_multi.path': 16,
  'uprobe_multi.offsets': 24,
  'uprobe_multi.ref_ctr_offsets': 32,
  'uprobe_multi.cookies': 40,
  'uprobe_multi.cnt': 48,
  'uprobe_multi.flags': 52,
  'uprobe_multi.pid': 56,
  'netkit.relative_fd': 16,
  'netkit.relative_id': 16,
  'netkit.expected_revision': 24,
  'cgroup.relative_fd': 16,
  'cgroup.relative_id': 16,
  'cgroup.expected_revision': 24,
} as const;

/** BPF_LINK_UPDATE */
export const LINK_UPDATE = {
  link_fd: 0,
  new_prog_fd: 4,
  new_map_fd: 4,
  flags: 8,
  old_prog_fd: 12,
  old_map_fd: 12,
} as const;

/** BPF_LINK_DETACH */
export const LINK_DETACH = { link_fd: 0 } as const;

/** BPF_ENABLE_STATS */
export const ENABLE_STATS = { type: 0 } as const;

/** BPF_ITER_CREATE */
export const ITER_CREATE = { link_fd: 0, flags: 4 } as const;

/** BPF_PROG_BIND_MAP */
export const PROGRAM_BIND_MAP = { prog_fd: 0, map_fd: 4, flags: 8 } as const;

/** BPF_TOKEN_CREATE */
export const TOKEN_CREATE = { flags: 0, bpffs_fd: 4 } as const;

/** BPF_PROG_STREAM_READ_BY_FD */
export const PROGRAM_STREAM_READ = { stream_buf: 0, stream_buf_len: 8, stream_id: 12, prog_fd: 16 } as const;
