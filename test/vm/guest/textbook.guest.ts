import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { PerfBuffer } from '../../../engine/kernel/index.js';
import {
  checkFileClaims,
  computePredicate,
  KernelSession,
  planObject,
} from '../../../engine/loader/index.js';
import {
  acceptBundle,
  createBundle,
  generateKeyPair,
  KeySigner,
  MemoryBundle,
  parsePrivateKey,
  parseTrustPolicy,
  readVerifiedBundle,
} from '../../../signing/index.js';
import { guestFeatures } from './enforcement.js';
import { guestObjectBytes } from './guest-object.js';
import { guestKernel, guestTest } from './guest-test.js';

const TRUST = `apiVersion: vespid.dev/v1
kind: TrustPolicy
threshold: 1
keys:
  - { id: ci, publicKey: ci.pub }
`;

/** `struct comm_event` of textbook-execve.bpf.c. */
function decodeCommEvent(bytes: Uint8Array): { pid: number; type: number; comm: string } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const comm = new TextDecoder().decode(bytes.subarray(8, 24));
  return { pid: view.getUint32(0, true), type: view.getUint32(4, true), comm: comm.replace(/\0.*$/s, '') };
}

guestTest(
  'the textbook: fexit on execve in C, signed, verified, loaded, its events read',
  { timeoutMs: 180_000 },
  async () => {
    const object = { name: 'textbook-execve.bpf.o', bytes: guestObjectBytes('textbook-execve') };
    const key = generateKeyPair();
    const input = { name: 'textbook', policies: [], objects: [object] };
    const signer = new KeySigner(parsePrivateKey(key.privateKeyPem, 'ci.key'));
    const signed = await createBundle(input, computePredicate(input, '0.0.0'), [signer]);
    const trust = parseTrustPolicy(TRUST, 'trust.yaml', () => key.publicKeyPem);
    const accepted = await acceptBundle(new MemoryBundle(signed), trust, new Date());
    const bundle = await readVerifiedBundle(accepted, (file) =>
      checkFileClaims(accepted.statement.predicate, file),
    );
    const [verified] = bundle.objects;
    assert.ok(verified);

    // With the gate up where the kernel can have one: the fexit program must pass it by its own facts.
    const hasGate = guestKernel().capabilities.includes('program-load-hook');
    using session = new KernelSession({
      scope: undefined,
      gate: hasGate ? 'enforce' : undefined,
      features: guestFeatures(),
      ringBytes: 64 * 1024,
    });
    const { loaded } = session.load(planObject(verified, guestFeatures(), { degrade: false }));
    const seen: ReturnType<typeof decodeCommEvent>[] = [];
    using buffer = new PerfBuffer(
      loaded.map('events'),
      (memory, byteOffset, byteLength) =>
        seen.push(decodeCommEvent(memory.slice(byteOffset, byteOffset + byteLength))),
      { poll: false },
    );
    session.attachAll();
    const { pid } = spawnSync('/usr/bin/true');
    session.detach();
    buffer.drain();
    assert.deepEqual(
      seen.filter((event) => event.pid === pid),
      [{ pid, type: 1, comm: 'true' }],
    );
    assert.ok([...buffer.losses().values()].every((lost) => lost === 0n));
  },
);
