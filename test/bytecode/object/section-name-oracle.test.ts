import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseSectionName } from '../../../engine/bytecode/index.js';
import { SECTION_CONVENTIONS } from '../../../engine/bytecode/object/section-conventions.js';
import { thrownBy } from '../documented-errors.js';
import { missingTool, runTool, withTemporaryDirectory } from '../external-tools.js';

const reason =
  missingTool('clang') ??
  (existsSync('/usr/include/bpf/libbpf.h') ? undefined : 'libbpf-dev is not installed');

/** Names that libbpf got after the 1.1 of Debian 12; section-name.test.ts has their meaning. */
const NEWER =
  /^(tc\/|tcx\/|netkit\/|netfilter|usdt\.s|struct_ops\.s|sk_skb\/verdict|kprobe\.session|u(ret)?probe\.(multi|session)|cgroup\/\w+_unix)/;

/** Names that are near to a convention without being one. */
const MISSES = [
  'socket1',
  'socket/x',
  'xdp_drop',
  'xdp/x',
  'xdp.frags/x',
  'tc1',
  'classifier/x',
  'lsmx/file_open',
  'lsm.x/file_open',
  'fentry.ss/f',
  'fentryx',
  'kprobe_x',
  'kprobe.multi.s/f',
  'sk_skb1',
  'sk_skb/x',
  'sk_msg/x',
  'cgroup/connect',
  'cgroup/connect44',
  'cgroup_skb/x',
  'cgroup_skb',
  'cgroup',
  'perf_event/x',
  'syscall/x',
  'struct_op',
  'struct_opsx/y',
  '/',
  '.text',
  'constructor',
];

function askLibbpf(names: readonly string[]): string[] {
  const source = fileURLToPath(new URL('../../fixtures/bytecode/section-oracle.c', import.meta.url));
  return withTemporaryDirectory((directory) => {
    const program = join(directory, 'oracle');
    runTool('clang', ['-o', program, source, '-lbpf']);
    const { stdout } = spawnSync(program, { input: `${names.join('\n')}\n`, encoding: 'utf8' });
    return stdout.trimEnd().split('\n');
  });
}

function askVespid(name: string): string {
  let answer = '-';
  thrownBy(() => {
    const { programType, attachType } = parseSectionName(name);
    answer = `${programType} ${attachType}`;
  });
  return answer;
}

test.skipIf(reason)('libbpf says the same of every section name', () => {
  const names = SECTION_CONVENTIONS.filter(({ name }) => !NEWER.test(name)).flatMap(({ name }) =>
    ['', '/', '/a', '/a/b', 'x', '.x', '+'].map((end) => `${name}${end}`),
  );
  const asked = [...new Set([...names, ...MISSES])].filter((name) => !NEWER.test(name));
  const answers = askLibbpf(asked);
  expect(answers).toHaveLength(asked.length);
  const differences = asked.flatMap((name, index) =>
    answers[index] === askVespid(name)
      ? []
      : [`${name}: libbpf ${answers[index]}, Vespid ${askVespid(name)}`],
  );
  expect(differences).toEqual([]);
});
