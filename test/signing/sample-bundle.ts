import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { type ErrorCode, VespidError } from '../../engine/errors/index.js';
import {
  acceptBundle,
  addAttestation,
  type BundleFiles,
  type BundleInput,
  type BundlePredicate,
  createBundle,
  KeySigner,
  MemoryBundle,
  type PolicyClaim,
  type ProgramClaim,
  readVerifiedBundle,
  type TrustedKey,
  type TrustPolicy,
  type VerifiedBundle,
} from '../../signing/index.js';
import { PrivateKey } from '../../signing/keys/key-pair.js';

/** A key that is the same in every run, from a seed of one repeated byte. */
export function sampleKey(seedByte: number): PrivateKey {
  return PrivateKey.fromSeed(new Uint8Array(32).fill(seedByte), `key ${seedByte}`);
}

export const CI_KEY = sampleKey(1);
export const RELEASE_KEY = sampleKey(2);
export const STRANGER_KEY = sampleKey(3);

export const NOW = new Date('2026-06-01T00:00:00Z');

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Small on purpose: the tests flip every byte of it. The "objects" are no ELF, because signing never looks. */
export const SAMPLE_INPUT: BundleInput = {
  name: 'starter',
  policies: [{ name: 'protect-shadow.yaml', bytes: utf8('kind: Policy\n') }],
  objects: [
    { name: 'file.bpf.o', bytes: utf8('\u007fELF file') },
    { name: 'net.bpf.o', bytes: utf8('\u007fELF net') },
  ],
};

export const SAMPLE_CLAIMS: readonly ProgramClaim[] = [
  sampleClaim('file.bpf.o', 'lsm/file_open', 'file_open'),
  sampleClaim('net.bpf.o', 'cgroup/connect4', 'connect4'),
  sampleClaim('net.bpf.o', 'cgroup/connect6', 'connect6'),
];

export function sampleClaim(object: string, section: string, name: string): ProgramClaim {
  return {
    object,
    section,
    name,
    type: 'lsm',
    attachType: 'lsm_mac',
    attachTarget: 'file_open',
    license: 'GPL',
    instructionCount: 12,
    sha256: sha256(utf8(`${section}/${name}`)),
    maps: [{ name: 'events', type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 4096, flags: 0 }],
    helpers: ['bpf_get_current_pid_tgid', 'bpf_ringbuf_output'],
    kfuncs: [],
    kernelSymbols: [],
    sleepable: false,
    coreRelocationCount: 2,
    effects: ['deny'],
  };
}

export function samplePolicyClaim(file: string, content = ''): PolicyClaim {
  return {
    file,
    digest: `sha256:${sha256(utf8(content))}`,
    name: 'protect-shadow',
    hooks: ['file.open'],
    effects: ['audit', 'deny'],
  };
}

/** What is stated about the sample, with other claims about its programs. */
export function samplePredicate(programs: readonly ProgramClaim[] = SAMPLE_CLAIMS): BundlePredicate {
  return {
    compiler: { name: 'vespid', version: '0.10.0' },
    programs,
    policies: [samplePolicyClaim('protect-shadow.yaml', 'kind: Policy\n')],
    structOps: [],
  };
}

export const SAMPLE_PREDICATE = samplePredicate();

/** A bundle signed by keys. */
export function signBundle(
  input: BundleInput,
  predicate: BundlePredicate,
  ...keys: readonly PrivateKey[]
): Promise<BundleFiles> {
  return createBundle(
    input,
    predicate,
    keys.map((key) => new KeySigner(key)),
  );
}

/** The same bundle with one more signature, whatever the statement says. */
export function addKey(files: BundleFiles, key: PrivateKey): Promise<BundleFiles> {
  return addAttestation(new MemoryBundle(files), new KeySigner(key), () => undefined);
}

export const SAMPLE_BUNDLE: BundleFiles = await signBundle(SAMPLE_INPUT, SAMPLE_PREDICATE, CI_KEY);
export const TWICE_SIGNED: BundleFiles = await addKey(SAMPLE_BUNDLE, RELEASE_KEY);

/** Accepts a bundle and reads every file of it, as a node does. */
export async function verify(
  files: BundleFiles,
  trust: TrustPolicy = TRUST_CI,
  now = NOW,
): Promise<VerifiedBundle> {
  return readVerifiedBundle(await acceptBundle(new MemoryBundle(files), trust, now));
}

/** A trust policy that is to be given signers. */
export const EMPTY_TRUST: TrustPolicy = {
  threshold: 1,
  signers: [],
  groups: new Map(),
  requirements: [],
  revokedKeys: new Map(),
  revokedIdentities: [],
  revokedDigests: new Map(),
  minimumVersions: new Map(),
};

export function trustIn(keys: Record<string, PrivateKey>, threshold = 1): TrustPolicy {
  return {
    ...EMPTY_TRUST,
    threshold,
    signers: Object.entries(keys).map(([id, { publicKey }]) => ({ kind: 'key', id, publicKey })),
  };
}

/** Trust in the CI key within the given times. */
export function trustBetween(times: Pick<TrustedKey, 'validFrom' | 'validUntil'>): TrustPolicy {
  return { ...EMPTY_TRUST, signers: [{ kind: 'key', id: 'ci', publicKey: CI_KEY.publicKey, ...times }] };
}

export const TRUST_CI = trustIn({ ci: CI_KEY });

/** The typed error that `run` rejects with; a test that gets none, or another kind of error, fails. */
export async function rejectionOf(run: () => Promise<unknown>): Promise<VespidError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof VespidError) return error;
    throw error;
  }
  throw new Error('expected a refusal, found none');
}

export async function expectRejection(code: ErrorCode, run: () => Promise<unknown>): Promise<VespidError> {
  const refusal = await rejectionOf(run);
  expectDocumented(code, refusal);
  return refusal;
}

/** The typed error that `run` throws; a test that gets none, or another kind of error, fails. */
export function refusalOf(run: () => unknown): VespidError {
  try {
    run();
  } catch (error) {
    if (error instanceof VespidError) return error;
    throw error;
  }
  throw new Error('expected a refusal, found none');
}

export function expectRefusal(code: ErrorCode, run: () => unknown): VespidError {
  const refusal = refusalOf(run);
  expectDocumented(code, refusal);
  return refusal;
}

function expectDocumented(code: ErrorCode, refusal: VespidError): void {
  expect(refusal.code, refusal.message).toBe(code);
  expect(refusal.hint).toBeTruthy();
}
