import { GUEST_RESULT_DEVICE, GUEST_ROOT } from './protocol.js';

/** A guest that the host lost powers itself off after this; none is wanted for longer. */
const GUEST_LIFETIME_SECONDS = 1800;

/** The guest's first process: mounts what a Linux system has, runs the runner once, powers off. */
export function guestInit(): string {
  return `#!/usr/bin/busybox sh
export PATH=/usr/sbin:/usr/bin HOME=/root NO_COLOR=1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs tmpfs /run
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t securityfs securityfs /sys/kernel/security
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
ln -s /proc/self/fd /dev/fd
hostname vespid-guest
ip link set lo up
stty -F ${GUEST_RESULT_DEVICE} raw -echo
# Kernel messages stay in the log, from where a failure fetches them; only a panic reaches the console.
dmesg -n 1
( sleep ${GUEST_LIFETIME_SECONDS}; poweroff -f ) &
cd ${GUEST_ROOT}
# The emulated processors are two: more threads for the garbage collector only cost.
node --single-threaded-gc dist/test/vm/guest/runner.js
poweroff -f
`;
}
