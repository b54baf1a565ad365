import { join } from 'node:path';
import { expect, test } from 'vitest';
import { documentedExamples, EXAMPLES, ROOT } from '../bpf/documentation.js';
import { compileBpf, runTool, withTemporaryDirectory } from '../bytecode/external-tools.js';

test.each(documentedExamples())(
  'docs/examples/$file prints what docs/bpf.md says',
  ({ file = '', output }) => {
    withTemporaryDirectory((directory) => {
      const object = join(directory, 'commands.bpf.o');
      compileBpf(join(EXAMPLES, 'commands.bpf.c'), object);
      const script = join(ROOT, 'dist/docs/examples', file.replace(/ts$/, 'js'));
      // Other processes may start meanwhile; only that of the example is looked at.
      const printed = runTool(process.execPath, [script, object])
        .split('\n')
        .filter((line) => !/^process \d+ runs (?!true$)/.test(line))
        .join('\n');
      expect(printed.replace(/^process \d+/gm, 'process PID')).toBe(output);
    });
  },
);
