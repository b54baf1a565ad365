import { performance } from 'node:perf_hooks';
import { checkFileClaims } from '../../../engine/loader/index.js';
import {
  acceptBundle,
  type BundleFiles,
  createBundle,
  generateKeyPair,
  KeySigner,
  MemoryBundle,
  parsePrivateKey,
  parseTrustPolicy,
  type TrustPolicy,
} from '../../../signing/index.js';
import { median } from '../median.js';
import { hundredPrograms, type SigningSample } from './hundred-programs.js';

const ROUNDS = 9;
const STATEMENTS = 2000;
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
 * How long a bundle of a hundred programs takes to verify in this process, signatures, trust policy, digests and
 * claims, the first time and then warm; and how many statements a key file signs in a second.
 */
export async function signAndVerify(): Promise<Record<string, unknown>> {
  const { privateKeyPem, publicKeyPem } = generateKeyPair();
  const signer = new KeySigner(parsePrivateKey(privateKeyPem, 'bench.key'));
  const trust = parseTrustPolicy(TRUST, 'trust.yaml', () => publicKeyPem);
  const sample = hundredPrograms();
  const files = await createBundle(sample.input, sample.predicate, [signer]);
  const rounds: VerifyTimes[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await verifyOnce(files, trust));
  return {
    'verify a bundle of 100 programs, milliseconds': {
      'first time': rounds[0],
      'median, warm': {
        'signatures and trust policy': median(rounds.slice(1).map((times) => times.accept)),
        'digests and claims of all files': median(rounds.slice(1).map((times) => times.files)),
        total: median(rounds.slice(1).map((times) => times.total)),
      },
    },
    'statements signed in a second': await signingRate(signer, sample),
    size: {
      programs: sample.predicate.programs.length,
      files: sample.input.policies.length + sample.input.objects.length,
      bytes: [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0),
    },
    rounds: ROUNDS,
  };
}

interface VerifyTimes {
  readonly accept: number;
  readonly files: number;
  readonly total: number;
}

async function verifyOnce(files: BundleFiles, trust: TrustPolicy): Promise<VerifyTimes> {
  const start = performance.now();
  const accepted = await acceptBundle(new MemoryBundle(files), trust, new Date());
  const middle = performance.now();
  for await (const file of accepted.files()) checkFileClaims(accepted.statement.predicate, file);
  const end = performance.now();
  return { accept: middle - start, files: end - middle, total: end - start };
}

/** Statements of one program each, all different, as a CI job signs them. */
async function signingRate(signer: KeySigner, { predicate }: SigningSample): Promise<number> {
  const [program] = predicate.programs;
  const payloads = Array.from({ length: STATEMENTS }, (_, serial) =>
    new TextEncoder().encode(JSON.stringify({ serial, program })),
  );
  const start = performance.now();
  for (const payload of payloads) await signer.attest(IN_TOTO_PAYLOAD_TYPE, payload);
  return Math.round((STATEMENTS * 1000) / (performance.now() - start));
}
