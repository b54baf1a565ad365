/** `enum counter` of test/fixtures/bytecode/links.bpf.c. */
export const COUNTER = {
  rawTracepoint: 0,
  tpBtf: 1,
  fentry: 2,
  fexit: 3,
  lsm: 4,
  tracepoint: 5,
  kprobe: 6,
  kretprobe: 7,
  kprobeMulti: 8,
  uprobe: 9,
  uretprobe: 10,
  uprobeMulti: 11,
  cgroupConnect: 12,
  cgroupOther: 13,
  xdp: 14,
  xdpOther: 15,
  tc: 16,
  tcOther: 17,
  netkit: 18,
  netfilter: 19,
  skLookup: 20,
  iterator: 21,
  perfEvent: 22,
  socketFilter: 23,
  skMsg: 24,
  flow: 27,
  lsmCgroup: 28,
  fmodRet: 30,
} as const;

/** Where the last cookie of a counter is kept. */
export const cookieOf = (counter: number): number => 40 + (counter % 20);
