import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { packageRoot } from '../bench/package-root.js';

const MODULE = pathToFileURL(join(packageRoot(), 'dist/engine/bundles/index.js')).href;

/** A bundle whose second file never comes. */
const SCRIPT = `
import { receiveBundle } from ${JSON.stringify(MODULE)};
const source = {
  label: 'slow registry',
  list: async () => new Map([['oci-layout', 2], ['index.json', 2]]),
  read: (path) => path === 'oci-layout' ? Promise.resolve(Uint8Array.of(1, 2)) : new Promise(() => {}),
};
setInterval(() => {}, 1000);
await receiveBundle(process.argv[1], source, async (staged) => {
  await staged.read('oci-layout');
  process.stdout.write('waiting');
  await staged.read('index.json');
});
`;

test.each([
  { signal: 'SIGINT', out: 'starter.bundle' },
  { signal: 'SIGTERM', out: 'starter.tar' },
] as const)(
  '$signal while $out is written ends the process and leaves nothing',
  async ({ signal, out }) => {
    const folder = mkdtempSync(join(tmpdir(), 'vespid-interrupted-'));
    const script = ['--input-type=module', '--eval', SCRIPT, join(folder, out)];
    const child = spawn(process.execPath, script, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      expect(readdirSync(folder)).toEqual([expect.stringContaining(`${out}.tmp-`)]);
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([null, signal]);
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  },
  30_000,
);
