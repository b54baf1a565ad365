/*
 * The other side of ring-buffer-vs-libbpf.ts. Descriptor 3 is the program `fill`, descriptor 4 its ring buffer, both
 * inherited. Prints one JSON object.
 *
 *   drain ROUNDS RECORDS      fills the ring, then consumes it with libbpf, timed; so many rounds
 *   follow                    consumes with libbpf until standard input ends and the ring is empty
 *   produce BURSTS RECORDS US fills so many times, a burst of records each, with a pause after it
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PROGRAM = 3, RING = 4, NO_WAKEUP = 1 };

struct request {
	__u32 count;
	__u32 flags;
	__u64 failed;
};

static unsigned long long records, sum;

static int on_record(void *context, void *data, size_t size)
{
	records++;
	sum += *(unsigned char *)data;
	return 0;
}

static double now_s(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static unsigned long long fill(unsigned count, unsigned flags)
{
	struct request request = { .count = count, .flags = flags };
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &request, .ctx_size_in = sizeof(request));

	if (bpf_prog_test_run_opts(PROGRAM, &options)) {
		perror("test run");
		exit(1);
	}
	return request.failed;
}

static struct ring_buffer *open_ring(void)
{
	struct ring_buffer *ring = ring_buffer__new(RING, on_record, NULL, NULL);

	if (!ring) {
		perror("ring buffer");
		exit(1);
	}
	return ring;
}

static void drain(int rounds, int count)
{
	struct ring_buffer *ring = open_ring();
	unsigned long long failed = 0;

	printf("{\"seconds\":[");
	for (int round = 0; round < rounds; round++) {
		double start;

		failed += fill(count, NO_WAKEUP);
		start = now_s();
		ring_buffer__consume(ring);
		printf("%s%.9f", round ? "," : "", now_s() - start);
	}
	printf("],\"records\":%llu,\"failed\":%llu,\"sum\":%llu}\n", records, failed, sum);
}

static void follow(void)
{
	struct ring_buffer *ring = open_ring();
	struct pollfd input = { .fd = 0, .events = POLLIN };

	while (poll(&input, 1, 0) == 0)
		ring_buffer__poll(ring, 20);
	ring_buffer__consume(ring);
	printf("{\"records\":%llu,\"sum\":%llu}\n", records, sum);
}

static void produce(int bursts, int count, int pause_us)
{
	unsigned long long failed = 0;

	for (int burst = 0; burst < bursts; burst++) {
		failed += fill(count, 0);
		usleep(pause_us);
	}
	printf("{\"written\":%llu,\"failed\":%llu}\n", (unsigned long long)bursts * count - failed, failed);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "drain") && argc == 4)
		drain(atoi(argv[2]), atoi(argv[3]));
	else if (!strcmp(mode, "follow"))
		follow();
	else if (!strcmp(mode, "produce") && argc == 5)
		produce(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
	else
		return 2;
	return 0;
}
