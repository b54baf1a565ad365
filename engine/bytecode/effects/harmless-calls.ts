import { helperName } from '../instruction/helper-function.js';

/**
 * Helpers that only look, count, remember and report. Lists of what is harmless, not of what is not: a helper that is
 * newer than this list, or that nobody thought of, counts as one that acts.
 */
const HARMLESS_HELPERS: ReadonlySet<string> = new Set(
  `
  map_lookup_elem map_update_elem map_delete_elem map_push_elem map_pop_elem map_peek_elem
  map_lookup_percpu_elem for_each_map_elem loop find_vma user_ringbuf_drain tail_call
  probe_read probe_read_str probe_read_user probe_read_kernel probe_read_user_str probe_read_kernel_str
  copy_from_user copy_from_user_task skb_load_bytes skb_load_bytes_relative xdp_load_bytes load_hdr_opt
  xdp_get_buff_len skb_pull_data csum_diff get_hash_recalc
  ktime_get_ns ktime_get_boot_ns ktime_get_coarse_ns ktime_get_tai_ns jiffies64
  get_prandom_u32 get_smp_processor_id get_numa_node_id per_cpu_ptr this_cpu_ptr
  get_current_pid_tgid get_current_uid_gid get_current_comm get_current_task get_current_task_btf
  get_ns_current_pid_tgid current_task_under_cgroup get_current_cgroup_id
  get_current_ancestor_cgroup_id get_cgroup_classid skb_under_cgroup skb_cgroup_id
  skb_ancestor_cgroup_id skb_cgroup_classid sk_cgroup_id sk_ancestor_cgroup_id get_route_realm
  get_socket_cookie get_socket_uid get_netns_cookie skb_get_tunnel_key skb_get_tunnel_opt
  skb_get_xfrm_state fib_lookup check_mtu getsockopt
  perf_event_output perf_event_read perf_event_read_value perf_prog_read_value skb_output xdp_output
  ringbuf_output ringbuf_reserve ringbuf_submit ringbuf_discard ringbuf_query
  ringbuf_reserve_dynptr ringbuf_submit_dynptr ringbuf_discard_dynptr
  dynptr_from_mem dynptr_read dynptr_write dynptr_data
  trace_printk trace_vprintk seq_printf seq_write seq_printf_btf snprintf snprintf_btf
  get_stackid get_stack get_task_stack read_branch_records get_branch_snapshot task_pt_regs
  get_func_ip get_attach_cookie get_func_arg get_func_ret get_func_arg_cnt get_retval
  sk_lookup_tcp sk_lookup_udp skc_lookup_tcp sk_release sk_fullsock tcp_sock get_listener_sock
  skc_to_tcp6_sock skc_to_tcp_sock skc_to_tcp_timewait_sock skc_to_tcp_request_sock skc_to_udp6_sock
  skc_to_unix_sock skc_to_mptcp_sock sock_from_file tcp_check_syncookie tcp_gen_syncookie
  tcp_raw_gen_syncookie_ipv4 tcp_raw_gen_syncookie_ipv6 tcp_raw_check_syncookie_ipv4
  tcp_raw_check_syncookie_ipv6
  get_local_storage sk_storage_get sk_storage_delete inode_storage_get inode_storage_delete
  task_storage_get task_storage_delete cgrp_storage_get cgrp_storage_delete
  spin_lock spin_unlock timer_init timer_set_callback timer_start timer_cancel kptr_xchg
  d_path ima_inode_hash ima_file_hash strtol strtoul strncmp
  sysctl_get_name sysctl_get_current_value sysctl_get_new_value
  btf_find_by_name_kind kallsyms_lookup_name
  `.match(/\S+/g),
);

/** As the helpers; those whose names are families by their beginning. */
const HARMLESS_KFUNCS =
  /^bpf_(rcu_read_(un)?lock|preempt_(en|dis)able|iter_[a-z0-9_]+_(new|next|destroy)|cpumask_[a-z_]+|task_(acquire|release|from_v?pid|under_cgroup|get_cgroup1)|cgroup_(acquire|release|ancestor|from_id)|cast_to_kern_ctx|rdonly_cast|(percpu_)?obj_(new|drop)_impl|refcount_acquire_impl|(list|rbtree)_[a-z_]+|dynptr_(adjust|is_null|is_rdonly|size|clone|slice)|get_(task_exe_file|file_xattr|dentry_xattr|fsverity_digest)|put_file|path_d_path|copy_from_user_str|copy_from_user_task_str|wq_(init|start|set_callback_impl)|strn?(cmp|len|str|chr|rchr)[a-z_]*)$/;

/** bpf_send_signal and bpf_send_signal_thread end the current task; the kfunc (6.13) any task. */
const SIGNALLING_HELPERS: ReadonlySet<string> = new Set(['send_signal', 'send_signal_thread']);
const SIGNALLING_KFUNC = 'bpf_send_signal_task';

/** Helpers that run a function of the program, which gets a pointer that the caller passes. */
const CALLBACK_HELPERS: ReadonlySet<string> = new Set([
  ...['for_each_map_elem', 'loop', 'find_vma', 'user_ringbuf_drain', 'timer_set_callback'],
]);

/**
 * Into which memory a harmless helper writes, by the register that has its address. The kernel lets that be the
 * context where a program may write there: `bpf_probe_read_user(ctx, …)` sets the registers of a user space function
 * (mem_types of kernel/bpf/verifier.c, Linux 6.13 on).
 */
const HELPERS_BY_WRITTEN_REGISTER: ReadonlyMap<number, string> = new Map([
  [
    1,
    `probe_read probe_read_str probe_read_user probe_read_kernel probe_read_user_str probe_read_kernel_str
    copy_from_user copy_from_user_task get_current_comm dynptr_from_mem dynptr_read snprintf snprintf_btf
    get_branch_snapshot kptr_xchg`,
  ],
  [
    2,
    `map_pop_elem map_peek_elem get_stack get_task_stack fib_lookup skb_get_tunnel_key skb_get_tunnel_opt
    read_branch_records perf_prog_read_value get_func_ret d_path ima_inode_hash ima_file_hash load_hdr_opt
    sysctl_get_name sysctl_get_current_value sysctl_get_new_value`,
  ],
  [
    3,
    `skb_load_bytes skb_load_bytes_relative xdp_load_bytes skb_get_xfrm_state get_ns_current_pid_tgid
    perf_event_read_value get_func_arg check_mtu`,
  ],
  [4, 'getsockopt strtol strtoul kallsyms_lookup_name ringbuf_reserve_dynptr dynptr_from_mem'],
]);

const WRITTEN_REGISTERS: ReadonlyMap<string, readonly number[]> = invert(HELPERS_BY_WRITTEN_REGISTER);

/** What a call can do: nothing to anybody, end a task, or something else. */
export type CallEffect = 'none' | 'kill' | 'acts';

export function helperEffect(helperId: number): CallEffect {
  const name = helperName(helperId) ?? '';
  if (SIGNALLING_HELPERS.has(name)) return 'kill';
  return HARMLESS_HELPERS.has(name) ? 'none' : 'acts';
}

/** @param name without a CO-RE flavour */
export function kfuncEffect(name: string): CallEffect {
  if (name === SIGNALLING_KFUNC) return 'kill';
  return HARMLESS_KFUNCS.test(name) ? 'none' : 'acts';
}

export function runsCallback(helperId: number): boolean {
  return CALLBACK_HELPERS.has(helperName(helperId) ?? '');
}

/** Registers with the addresses of memory that a harmless helper writes to. */
export function writtenRegisters(helperId: number): readonly number[] {
  return WRITTEN_REGISTERS.get(helperName(helperId) ?? '') ?? [];
}

/** The kernel's own view of the context: it is read through, never written. */
export const CONTEXT_CAST_KFUNC = 'bpf_cast_to_kern_ctx';

function invert(namesByRegister: ReadonlyMap<number, string>): Map<string, readonly number[]> {
  const registers = new Map<string, readonly number[]>();
  for (const [register, names] of namesByRegister) {
    for (const name of names.match(/\S+/g) ?? []) {
      registers.set(name, [...(registers.get(name) ?? []), register]);
    }
  }
  return registers;
}

export const TAIL_CALL = 12;
