/* Writes numbered records of 64 bytes into a ring buffer: as many as the context of a test run says. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct request {
	__u32 count;
	/* BPF_RB_NO_WAKEUP or 0 */
	__u32 flags;
	/* out: how many found no room */
	__u64 failed;
};

struct record {
	__u64 number;
	__u64 rest[7];
};

/* bpf_ringbuf_submit and the like name it; the size is set by the loader. */
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 24); } ring SEC(".maps");

__u64 next_number;

static long emit(__u32 index, struct request *request)
{
	struct record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);

	if (!record) {
		request->failed++;
		return 0;
	}
	record->number = next_number++;
	bpf_ringbuf_submit(record, request->flags);
	return 0;
}

SEC("syscall") int fill(struct request *context)
{
	struct request request = { .flags = context->flags };

	bpf_loop(context->count, emit, &request, 0);
	context->failed = request.failed;
	return 0;
}

char _license[] SEC("license") = "GPL";
