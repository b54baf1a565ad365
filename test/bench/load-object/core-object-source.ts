import { type Btf, type BtfComposite, skipModifiers } from '../../../engine/bytecode/index.js';

/** How many types of the kernel the object reads: what a large tracer does, and only those that all read. */
export type KernelTypeCount = 'many' | 'few';
const STRUCTS: Readonly<Record<KernelTypeCount, number>> = { many: 100, few: 12 };

/** How large the object is: chosen so that clang-19 makes some 600 KB of it, without DWARF. */
const PROGRAMS = 45;
const READ_MEMBERS = 12;
const STRUCTS_PER_PROGRAM = 5;
const MAPS = 12;
const SUBPROGRAMS = 20;

/** What a tracer reads first; the rest are spread over all structs of the kernel. */
const FAMILIAR_STRUCTS = [
  'task_struct',
  'mm_struct',
  'file',
  'inode',
  'dentry',
  'cred',
  'sock',
  'sk_buff',
  'net_device',
  'nsproxy',
  'signal_struct',
  'super_block',
];

/** Events that have existed for a long time; a `tp_btf` program gets its arguments typed. */
const EVENTS = ['sched_switch', 'sched_process_exec', 'sched_process_exit', 'sched_process_fork'];
const SYSTEM_CALLS = ['openat', 'connect', 'execve', 'close', 'read', 'write'];

interface ReadableStruct {
  readonly name: string;
  readonly members: readonly string[];
}

/**
 * The C source of a CO-RE object as a large tracer has it: many programs on tracepoints, thousands of field
 * relocations over many kernel types, maps, globals, subprograms. The same for the same kernel types.
 */
export function coreObjectSource(vmlinux: Btf, kernelTypes: KernelTypeCount): string {
  const structs = chooseStructs(vmlinux, STRUCTS[kernelTypes]);
  const programs = Array.from({ length: PROGRAMS }, (_, index) => program(index, structs));
  return [
    '#include "vmlinux.h"',
    '#include <bpf/bpf_helpers.h>',
    '#include <bpf/bpf_core_read.h>',
    '',
    'char LICENSE[] SEC("license") = "GPL";',
    'const volatile unsigned long long wanted = 1;',
    'unsigned long long seen_total;',
    'static unsigned long long last_sum;',
    // One place on the stack for all reads, and each is added at once: BPF has 512 bytes of stack.
    '#define ADD(type, member) \\',
    '  value = 0; \\',
    '  bpf_core_read(&value, sizeof(((type *)0)->member), &((type *)object)->member); \\',
    '  sum += value; \\',
    '  asm volatile("" : "+r"(sum))',
    ...Array.from({ length: MAPS }, (_, index) => mapDefinition(index)),
    ...Array.from({ length: SUBPROGRAMS }, (_, index) => subprogram(index, structs)),
    ...programs,
    '',
  ].join('\n');
}

function mapDefinition(index: number): string {
  const type = ['BPF_MAP_TYPE_HASH', 'BPF_MAP_TYPE_ARRAY', 'BPF_MAP_TYPE_PERCPU_ARRAY'][index % 3];
  return [
    'struct {',
    `  __uint(type, ${type});`,
    '  __type(key, unsigned int);',
    '  __type(value, unsigned long long);',
    '  __uint(max_entries, 64);',
    `} totals_${index} SEC(".maps");`,
  ].join('\n');
}

function subprogram(index: number, structs: readonly ReadableStruct[]): string {
  return [
    `static __attribute__((noinline)) unsigned long long summarise_${index}(void *object)`,
    '{',
    '  unsigned long long sum = 0, value;',
    ...reads(pick(structs, index * 7)),
    '  return sum;',
    '}',
  ].join('\n');
}

function program(index: number, structs: readonly ReadableStruct[]): string {
  const { section, prologue } = hook(index);
  const read = Array.from({ length: STRUCTS_PER_PROGRAM }, (_, place) =>
    pick(structs, index * STRUCTS_PER_PROGRAM + place),
  );
  const map = `totals_${index % MAPS}`;
  return [
    `SEC("${section}")`,
    `int program_${index}(unsigned long long *context)`,
    '{',
    '  unsigned long long sum = 0, value, *total;',
    '  unsigned int key = 0;',
    '  void *object = (void *)bpf_get_current_task();',
    ...prologue,
    '  if (!wanted) return 0;',
    ...read.flatMap(reads),
    `  sum += summarise_${index % SUBPROGRAMS}(object);`,
    `  sum += summarise_${(index * 3 + 1) % SUBPROGRAMS}(object);`,
    '  if (bpf_core_type_exists(struct task_struct)) sum += bpf_core_enum_value(enum pid_type, PIDTYPE_TGID);',
    '  if (bpf_core_field_exists(struct task_struct, comm)) sum++;',
    '  seen_total++;',
    '  last_sum = sum;',
    `  total = bpf_map_lookup_elem(&${map}, &key);`,
    '  if (total) *total += sum;',
    '  return 0;',
    '}',
  ].join('\n');
}

function hook(index: number): { section: string; prologue: readonly string[] } {
  if (index % 5 === 1) {
    return {
      section: 'tp_btf/sched_process_exit',
      prologue: [
        '  struct task_struct *task = (void *)context[0];',
        '  sum += task->pid + task->tgid + task->prio;',
      ],
    };
  }
  if (index % 5 === 3) return { section: `tp/syscalls/sys_enter_${pick(SYSTEM_CALLS, index)}`, prologue: [] };
  return { section: `raw_tp/${pick(EVENTS, index)}`, prologue: ['  sum += context[0] != 0;'] };
}

function reads({ name, members }: ReadableStruct): string[] {
  return members.map((member) => `  ADD(struct ${name}, ${member});`);
}

function pick<T>(values: readonly T[], index: number): T {
  const value = values[index % values.length];
  if (value === undefined) throw new Error('an empty list');
  return value;
}

/** Structs whose name is theirs alone, so that bpftool's header has them under that name. */
function chooseStructs(vmlinux: Btf, count: number): ReadableStruct[] {
  const byName = new Map<string, number[]>();
  for (let typeId = 1; typeId < vmlinux.typeCount; typeId++) {
    const kind = vmlinux.kindOf(typeId);
    if (kind !== 'struct' && kind !== 'union') continue;
    const name = vmlinux.nameOf(typeId);
    byName.set(name, [...(byName.get(name) ?? []), typeId]);
  }
  const readable = [...byName]
    .filter(([name, ids]) => name !== '' && ids.length === 1)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([name, [typeId]]) => readableStruct(vmlinux, name, typeId));
  const familiar = FAMILIAR_STRUCTS.flatMap((name) => readable.filter((struct) => struct.name === name));
  const others = readable.filter((struct) => !familiar.includes(struct));
  const more = Math.max(0, count - familiar.length);
  return [
    ...familiar,
    ...Array.from({ length: more }, (_, index) => pick(others, Math.floor((index * others.length) / more))),
  ];
}

function readableStruct(vmlinux: Btf, name: string, typeId: number | undefined): ReadableStruct[] {
  const type = typeId === undefined ? undefined : vmlinux.type(typeId);
  if (type?.kind !== 'struct') return [];
  const members = plainMembers(vmlinux, type).slice(0, READ_MEMBERS);
  return members.length < 6 ? [] : [{ name, members }];
}

/** Members that one `bpf_probe_read_kernel` brings into a register: integers and pointers, no bit fields. */
function plainMembers(vmlinux: Btf, type: BtfComposite): string[] {
  return type.members
    .filter(({ name, typeId, bitFieldSize }) => {
      if (name === '' || bitFieldSize !== 0) return false;
      const target = vmlinux.type(skipModifiers(vmlinux, typeId));
      return target.kind === 'pointer' || (target.kind === 'int' && target.byteSize <= 8);
    })
    .map(({ name }) => name);
}
