import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { writeBundle } from '../../../engine/bundles/index.js';
import {
  type BundleFiles,
  createBundle,
  generateKeyPair,
  KeySigner,
  parsePrivateKey,
  parseTrustPolicy,
} from '../../../signing/index.js';
import { median } from '../median.js';
import { runProcess } from '../run-process.js';
import { hundredPrograms } from './hundred-programs.js';
import { type VerifyTimes, verifyOnce } from './verify-once.js';

const WARM_ROUNDS = 9;
const FRESH_PROCESSES = 5;
/** Bytes of a statement: about one program, twenty, and a hundred. */
const PAYLOAD_BYTES = { '1 KB': 1_000, '20 KB': 20_000, '100 KB': 100_000 };
const SIGNED_BYTES = 20_000_000;
const MAX_STATEMENTS = 2000;
const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

const TRUST = `apiVersion: vespid.dev/v1
kind: TrustPolicy
threshold: 1
keys:
  - id: bench
    publicKey: bench.pub
    may:
      bundles: ["hun*"]
      programTypes: ["*"]
      helpers: { deny: [bpf_probe_write_user] }
`;

/**
 * How long a bundle of a hundred programs takes to verify once it is in memory, signatures, trust policy, digests and
 * claims: the first time in fresh processes, and in one that is warm. And how many statements a key signs in a second.
 */
export async function signAndVerify(): Promise<Record<string, unknown>> {
  const { privateKeyPem, publicKeyPem } = generateKeyPair();
  const signer = new KeySigner(parsePrivateKey(privateKeyPem, 'bench.key'));
  const sample = hundredPrograms();
  const files = await createBundle(sample.input, sample.predicate, [signer]);
  return {
    'verify a bundle of 100 programs, median milliseconds': {
      [`first time, ${FRESH_PROCESSES} fresh processes`]: medians(await firstTimes(files, publicKeyPem)),
      warm: medians(await warmTimes(files, publicKeyPem)),
    },
    'statements signed in a second, by payload': await signingRates(signer),
    size: {
      programs: sample.predicate.programs.length,
      files: sample.input.policies.length + sample.input.objects.length,
      bytes: [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0),
    },
  };
}

function medians(rounds: readonly VerifyTimes[]): Record<string, number> {
  return {
    'signatures and trust policy': median(rounds.map((times) => times.accept)),
    'digests and claims of all files': median(rounds.map((times) => times.files)),
    total: median(rounds.map((times) => times.total)),
  };
}

async function firstTimes(files: BundleFiles, publicKeyPem: string): Promise<readonly VerifyTimes[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vespid-bench-'));
  try {
    const [bundle, trust] = [join(folder, 'bundle.tar'), join(folder, 'trust.yaml')];
    await writeBundle(bundle, files);
    writeFileSync(trust, TRUST);
    writeFileSync(join(folder, 'bench.pub'), publicKeyPem);
    const script = fileURLToPath(new URL('verify-first.js', import.meta.url));
    return Array.from({ length: FRESH_PROCESSES }, (): VerifyTimes => {
      // What our own script prints.
      return JSON.parse(runProcess(process.execPath, [script, bundle, trust])) as VerifyTimes;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function warmTimes(files: BundleFiles, publicKeyPem: string): Promise<readonly VerifyTimes[]> {
  const trust = parseTrustPolicy(TRUST, 'trust.yaml', () => publicKeyPem);
  const rounds: VerifyTimes[] = [];
  for (let round = 0; round <= WARM_ROUNDS; round++) rounds.push(await verifyOnce(files, trust));
  return rounds.slice(1);
}

/** Statements that are all different, as CI jobs sign them. */
async function signingRates(signer: KeySigner): Promise<Record<string, number>> {
  const rates: Record<string, number> = {};
  for (const [label, byteSize] of Object.entries(PAYLOAD_BYTES)) {
    const count = Math.min(MAX_STATEMENTS, SIGNED_BYTES / byteSize);
    const payloads = Array.from({ length: count }, (_, serial) =>
      new TextEncoder().encode(JSON.stringify({ serial }).padEnd(byteSize)),
    );
    const start = performance.now();
    for (const payload of payloads) await signer.attest(IN_TOTO_PAYLOAD_TYPE, payload);
    rates[label] = Math.round((count * 1000) / (performance.now() - start));
  }
  return rates;
}
