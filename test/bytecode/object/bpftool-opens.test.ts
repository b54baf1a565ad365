import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeObject } from '../../../engine/bytecode/index.js';
import { missingTool, runTool, withTemporaryDirectory } from '../external-tools.js';
import { sampleDefinition } from '../sample-object.js';

const reason = missingTool('bpftool');

describe.skipIf(reason)(`libbpf, by bpftool${reason === undefined ? '' : ` (${reason})`}`, () => {
  const inspect = (args: (path: string) => string[]): string =>
    withTemporaryDirectory((directory) => {
      const path = join(directory, 'sample.bpf.o');
      writeFileSync(path, writeObject(sampleDefinition()));
      return runTool('bpftool', args(path));
    });

  test('opens what writeObject writes', () => {
    // A skeleton is made by opening the object, which needs no rights.
    const skeleton = inspect((path) => ['gen', 'skeleton', path]);
    for (const name of ['counts', 'events', 'on_switch', 'filter', 'cgroup', 'mode']) {
      expect(skeleton).toContain(name);
    }
  });

  test('reads its BTF as C', () => {
    const source = inspect((path) => ['btf', 'dump', 'file', path, 'format', 'c']);
    expect(source).toMatch(/struct task_struct \{\s+unsigned int state: 3;\s+int pid;/);
    expect(source).toContain('struct mm_struct *mm;');
  });
});
