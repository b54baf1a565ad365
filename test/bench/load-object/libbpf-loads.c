/*
 * Opens, relocates and loads an object with libbpf, LOADS times in one process, and prints one JSON object.
 * Time inside bpf(2) is counted apart: libbpf calls it through libc's syscall(), which this program stands in for.
 */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MAP_CREATE = 0, PROG_LOAD = 5, MOST_COMMANDS = 64 };

static double kernel_ms[MOST_COMMANDS];

static double now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* Of all threads of this process, in the kernel too. */
static double cpu_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* The system call itself, without libc's function of that name. */
static long raw_syscall6(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#else
#error "x86-64 or arm64 only"
#endif
}

long syscall(long number, ...)
{
	va_list arguments;
	long value[6], result;
	double start = now_ms();

	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		value[i] = va_arg(arguments, long);
	va_end(arguments);
	result = raw_syscall6(number, value[0], value[1], value[2], value[3], value[4], value[5]);
	if (number == SYS_bpf && value[0] >= 0 && value[0] < MOST_COMMANDS)
		kernel_ms[value[0]] += now_ms() - start;
	if (result < 0 && result >= -4095) {
		errno = -result;
		return -1;
	}
	return result;
}

static int load_once(const char *path, int is_first)
{
	double start = now_ms(), cpu_start = cpu_ms(), opened, loaded, cpu, kernel = 0;
	struct bpf_object *object;

	for (int i = 0; i < MOST_COMMANDS; i++)
		kernel_ms[i] = 0;
	object = bpf_object__open_file(path, NULL);
	if (!object)
		return -1;
	opened = now_ms();
	if (bpf_object__load(object))
		return -1;
	loaded = now_ms();
	cpu = cpu_ms() - cpu_start;
	for (int i = 0; i < MOST_COMMANDS; i++)
		kernel += kernel_ms[i];
	printf("%s{\"total\":%.3f,\"open\":%.3f,\"kernel\":%.3f,\"mapCreate\":%.3f,\"programLoad\":%.3f,\"cpu\":%.3f}",
	       is_first ? "" : ",", loaded - start, opened - start, kernel, kernel_ms[MAP_CREATE],
	       kernel_ms[PROG_LOAD], cpu);
	bpf_object__close(object);
	return 0;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int loads = argc == 3 ? atoi(argv[2]) : 0;

	if (loads < 1) {
		fprintf(stderr, "usage: %s OBJECT LOADS\n", argv[0]);
		return 2;
	}
	printf("{\"loads\":[");
	for (int i = 0; i < loads; i++) {
		if (load_once(argv[1], i == 0)) {
			fprintf(stderr, "libbpf cannot load %s: errno %d\n", argv[1], errno);
			return 1;
		}
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("],\"peakKiB\":%ld}\n", usage.ru_maxrss);
	return 0;
}
