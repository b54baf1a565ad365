import { VespidError } from '../../engine/errors/index.js';
import { readStatement } from '../attestation/statement.js';
import { checkStatementCovers } from '../attestation/statement-check.js';
import type { Decision, Refusal, SignerDecision } from '../trust/decision.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import { AcceptedBundle, type VerifiedSigner } from './accepted-bundle.js';
import {
  type JudgedAttestation,
  type JudgedAttestations,
  judgeAttestations,
} from './attestation-verifier.js';
import type { BundleContent } from './bundle-content.js';
import { BundleLayout } from './bundle-layout.js';
import { readBundleContent } from './bundle-reader.js';
import type { BundleSource } from './bundle-source.js';
import { countSignatures, type SignatureCount } from './signer-threshold.js';

/** What a trust policy says about a bundle: why, and the bundle or the refusal. */
export interface Judgement {
  readonly decision: Decision;
  readonly outcome: AcceptedBundle | VespidError;
}

/**
 * Holds a bundle against a trust policy, in this order:
 *
 * 1. the files are those of an OCI layout, within limits;
 * 2. index and manifests, each read after its digest, reach every file and name no other;
 * 3. signatures verify over the raw payloads, which stay unparsed;
 * 4. enough distinct trusted signers signed, all the same payload;
 * 5. that payload, parsed only now, speaks about exactly this content.
 *
 * The threshold stands before the payload's parser, so that parser never sees bytes which the trust policy does not
 * accept. No policy and no object is read: {@link AcceptedBundle.files} does that, file by file.
 *
 * @param now the time at which signing keys must be valid
 * @throws VespidError with exit code 3 for what is wrong with the bundle itself, whatever the trust policy says
 */
export async function judgeBundle(source: BundleSource, trust: TrustPolicy, now: Date): Promise<Judgement> {
  const layout = await BundleLayout.open(source);
  const content = await readBundleContent(layout);
  requireAttested(content);
  const judged = await judgeAttestations(content.attestations, layout, trust, now);
  const count = countSignatures(judged.attestations, trust);
  if (count.refusal !== undefined) return refuse(content, count, count.refusal);
  const payload = agreedPayload(judged);
  if (payload === undefined) return refuse(content, count, DISAGREEMENT);
  const statement = readStatement(payload);
  checkStatementCovers(statement, content);
  const decision = decide(content, count);
  const signers = judged.attestations.flatMap((one, at) => verifiedSigner(one, count.signers[at]));
  const facts = { ...content, statement, provenance: [], signers, decision };
  return { decision, outcome: new AcceptedBundle(facts, layout) };
}

/**
 * {@link judgeBundle} for those who want the bundle or nothing.
 *
 * @throws VespidError with exit code 3; a refusal by the trust policy carries the decision in its details
 */
export async function acceptBundle(
  source: BundleSource,
  trust: TrustPolicy,
  now: Date,
): Promise<AcceptedBundle> {
  const { outcome } = await judgeBundle(source, trust, now);
  if (outcome instanceof VespidError) throw outcome;
  return outcome;
}

function requireAttested({ attestations, digest }: BundleContent): void {
  if (attestations.length > 0) return;
  throw new VespidError('BUNDLE_UNSIGNED', `expected at least one attestation of ${digest}, found none`, {
    hint: 'sign the bundle: vespid sign INPUT... --key KEY --out BUNDLE',
  });
}

/** The one payload of all signatures that are accepted, counted or not; undefined when there are several. */
function agreedPayload({ payloads }: JudgedAttestations): Uint8Array | undefined {
  const [first, second] = payloads.values();
  return second === undefined ? first : undefined;
}

const DISAGREEMENT: Refusal = {
  code: 'BUNDLE_ATTESTATIONS_DISAGREE',
  message: 'expected all trusted signers to sign the same statement, found different statements',
  hint: 'remove the attestations and have every signer sign the bundle again',
};

function decide(
  content: BundleContent,
  { signers, requirements }: SignatureCount,
  refusal?: Refusal,
): Decision {
  const { name, version, digest } = content;
  return {
    accepted: refusal === undefined,
    bundle: { name, digest, ...(version === undefined ? {} : { version }) },
    signers,
    requirements,
    ...(refusal === undefined ? {} : { refusal }),
  };
}

function refuse(content: BundleContent, count: SignatureCount, refusal: Refusal): Judgement {
  const decision = decide(content, count, refusal);
  const { code, message, hint } = refusal;
  return { decision, outcome: new VespidError(code, message, { hint, details: { decision } }) };
}

function verifiedSigner(
  { identity, signerId }: JudgedAttestation,
  decision: SignerDecision | undefined,
): readonly VerifiedSigner[] {
  return decision?.counted === true && signerId !== undefined ? [{ ...identity, id: signerId }] : [];
}
