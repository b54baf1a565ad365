// Tells which commands run, and counts them by user.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 only_uid = 0xffffffff;
__u64 commands;

struct event {
	__u32 pid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} by_user SEC(".maps");

SEC("raw_tp/sched_process_exec")
int on_exec(void *ctx)
{
	__u32 uid = bpf_get_current_uid_gid();
	__u64 one = 1, *count = bpf_map_lookup_elem(&by_user, &uid);

	if (only_uid != 0xffffffff && uid != only_uid)
		return 0;
	__sync_fetch_and_add(&commands, 1);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&by_user, &uid, &one, BPF_NOEXIST);

	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return 0;
	event->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
