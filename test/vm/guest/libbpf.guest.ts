import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readObject, writeObject } from '../../../engine/bytecode/index.js';
import { compilePolicies } from '../../../engine/compiler/index.js';
import { gateObject } from '../../../lsm-hooks/index.js';
import { parsePolicies } from '../../../policies/language/index.js';
import { GUEST_ROOT } from '../protocol.js';
import { guestTest } from './guest-test.js';

const LIBRARY = `${GUEST_ROOT}/policies/library`;

function bpftool(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('bpftool', args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  assert.equal(status, 0, `bpftool ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Another loader than ours takes the object: libbpf reads it, relocates it, and the verifier accepts it. */
function assertLoads(name: string, bytes: Uint8Array): void {
  const path = join('/tmp', name);
  const pins = join('/sys/fs/bpf', `libbpf_${name.replaceAll('.', '_')}`);
  writeFileSync(path, bytes);
  try {
    bpftool('prog', 'loadall', path, pins);
    const programs = readObject(bytes, name).programs.map((program) => program.name);
    assert.deepEqual(readdirSync(pins).sort(), programs.sort());
  } finally {
    rmSync(pins, { recursive: true, force: true });
  }
  const types = bpftool('btf', 'dump', 'file', path);
  for (const name of ["'vespid_config'", "'task_struct'", "'.maps'"]) assert.ok(types.includes(name), name);
  rmSync(path);
}

guestTest(
  'libbpf loads every object of the policy library',
  { needs: ['bpf-lsm'], only: '6.1' },
  async (context) => {
    const policies = readdirSync(LIBRARY)
      .sort()
      .flatMap((name) => parsePolicies(readFileSync(join(LIBRARY, name), 'utf8'), name));
    const objects = compilePolicies(policies);
    assert.deepEqual(
      objects.map((object) => object.hook),
      ['file.open', 'net.connect', 'process.exec'],
    );
    for (const { name, bytes } of objects) await context.test(name, () => assertLoads(name, bytes));
  },
);

guestTest('libbpf loads the gate', { needs: ['program-load-hook'] }, () => {
  assertLoads('gate.bpf.o', writeObject(gateObject()));
});
