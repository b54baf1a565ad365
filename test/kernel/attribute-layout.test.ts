import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as layouts from '../../engine/kernel/commands/attribute-layout.js';
import { missingTool, runTool, withTemporaryDirectory } from '../bytecode/external-tools.js';
import { type AttributeField, bpfAttributeFields } from './attribute-fields.js';

/** Members that uapi headers got later than 6.1, the oldest that the tests meet; the compiler checks the others. */
const SINCE: Readonly<Record<string, string>> = {
  log_true_size: '6.4',
  btf_log_true_size: '6.4',
  'link_create.map_fd': '6.4',
  'link_update.new_map_fd': '6.4',
  'link_update.old_map_fd': '6.4',
  'link_create.netfilter.': '6.4',
  path_fd: '6.5',
  relative_fd: '6.6',
  relative_id: '6.6',
  expected_revision: '6.6',
  target_ifindex: '6.6',
  'query.target_ifindex': '6.6',
  'query.count': '6.6',
  'query.link_ids': '6.6',
  'query.link_attach_flags': '6.6',
  'query.revision': '6.6',
  'link_create.tcx.': '6.6',
  'link_create.uprobe_multi.': '6.6',
  'link_create.netkit.': '6.7',
  value_type_btf_obj_fd: '6.9',
  map_token_fd: '6.9',
  prog_token_fd: '6.9',
  btf_flags: '6.9',
  btf_token_fd: '6.9',
  'token_create.': '6.9',
  'raw_tracepoint.cookie': '6.10',
  fd_array_cnt: '6.14',
  fd_by_id_token_fd: '6.16',
  'link_create.cgroup.': '6.17',
  'prog_stream_read.': '6.17',
  signature: '6.18',
  signature_size: '6.18',
  keyring_id: '6.18',
  excl_prog_hash: '6.18',
  excl_prog_hash_size: '6.18',
};

function sinceOf({ path }: AttributeField): string {
  const key = Object.keys(SINCE).find(
    (name) => path === name || (name.endsWith('.') && path.startsWith(name)),
  );
  return key === undefined ? '6.1' : (SINCE[key] ?? '6.1');
}

/** A C program that prints `path offset` for every member that its own linux/bpf.h is new enough to have. */
function program(fields: readonly AttributeField[]): string {
  const lines = fields.map((field) => {
    const [major, minor] = sinceOf(field).split('.');
    return [
      `#if LINUX_VERSION_CODE >= KERNEL_VERSION(${major}, ${minor}, 0)`,
      `  printf("${field.path} %zu\\n", offsetof(union bpf_attr, ${field.path}));`,
      '#endif',
    ].join('\n');
  });
  return `#include <stddef.h>
#include <stdio.h>
#include <linux/bpf.h>
#include <linux/version.h>
int main(void) {
${lines.join('\n')}
  return 0;
}
`;
}

describe('the table of attribute offsets', () => {
  const fields = bpfAttributeFields(layouts);

  test('knows the struct of every command', () => {
    expect(fields.length).toBeGreaterThan(150);
  });

  test("has the offsets of this machine's linux/bpf.h", { timeout: 30_000 }, ({ skip }) => {
    const missing = missingTool('clang');
    if (missing !== undefined) skip(missing);
    const printed = withTemporaryDirectory((directory) => {
      const source = join(directory, 'offsets.c');
      const binary = join(directory, 'offsets');
      writeFileSync(source, program(fields));
      runTool('clang', ['-Wall', '-Werror', '-o', binary, source]);
      return runTool(binary, []);
    });
    const compiled = new Map(printed.split('\n').map((line) => line.split(' ') as [string, string]));
    const known = fields.filter(({ path }) => compiled.has(path));
    expect(known.length).toBeGreaterThan(100);
    expect(known.map(({ path, offset }) => `${path} ${offset}`)).toEqual(
      known.map(({ path }) => `${path} ${compiled.get(path)}`),
    );
    const old = fields.filter((field) => sinceOf(field) === '6.1').map(({ path }) => path);
    expect(old.filter((path) => !compiled.has(path))).toEqual([]);
  });
});
