import { VespidError } from '../../engine/errors/index.js';
import { PREDICATE_TYPE } from '../attestation/bundle-predicate.js';
import { PROVENANCE_TYPE, readProvenanceStatement } from '../attestation/provenance.js';
import { provenanceSource } from '../attestation/provenance-source.js';
import { readStatement, type Statement } from '../attestation/statement.js';
import { checkStatementCovers } from '../attestation/statement-check.js';
import type { BundleIdentity, Decision, Refusal } from '../trust/decision.js';
import { judgeEvidence } from '../trust/judge-bundle.js';
import { judgeSignatures } from '../trust/judge-signatures.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import { AcceptedBundle, type VerifiedProvenance, type VerifiedSigner } from './accepted-bundle.js';
import { type CheckedAttestation, checkAttestations, type Payloads } from './attestation-verifier.js';
import type { BundleContent } from './bundle-content.js';
import { requireLabels } from './bundle-labels.js';
import { BundleLayout } from './bundle-layout.js';
import { readBundleContent } from './bundle-reader.js';
import type { BundleSource } from './bundle-source.js';
import type { AttestedPredicate } from './oci-layout.js';

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
 * 4. enough distinct trusted signers signed, all of them the same payload;
 * 5. that payload, parsed only now, speaks about exactly this content;
 * 6. nothing in it is revoked, its version is not too old, and enough of the signers may sign all of it.
 *
 * The signatures stand before the payload's parser, so that parser never sees bytes which the trust policy does not
 * accept. No policy and no object is read: {@link AcceptedBundle.files} does that, file by file.
 *
 * @param now the time at which signers must be valid
 * @throws VespidError with exit code 3 for what is wrong with the bundle itself, whatever the trust policy says
 */
export async function judgeBundle(source: BundleSource, trust: TrustPolicy, now: Date): Promise<Judgement> {
  const layout = await BundleLayout.open(source);
  const content = await readBundleContent(layout);
  const payloads: Payloads = new Map();
  const check = (type: AttestedPredicate) =>
    checkAttestations(attestationsOf(content, type), layout, trust, now, payloads);

  const attestations = await check(PREDICATE_TYPE);
  requireAttested(content, attestations);
  const bundle = identityOf(content);
  const bySignatures = judgeSignatures(trust, bundle, attestations, now);
  if (bySignatures.refusal !== undefined) return refuse(bySignatures, bySignatures.refusal);
  const payload = agreedPayload(attestations, payloads);
  if (payload === undefined) return refuse(bySignatures, DISAGREEMENT);

  const statement = readStatement(payload);
  checkStatementCovers(statement, content);
  requireLabels(content.labels, statement.predicate.programs);
  const provenance = readProvenance(await check(PROVENANCE_TYPE), payloads, content);
  const { subject: subjects, predicate } = statement;
  const decision = judgeEvidence(trust, { bundle, attestations, subjects, predicate, provenance }, now);
  if (decision.refusal !== undefined) return refuse(decision, decision.refusal);
  return { decision, outcome: accept(content, statement, provenance, decision, layout) };
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

function attestationsOf({ attestations }: BundleContent, type: AttestedPredicate) {
  return attestations.filter(({ predicateType }) => predicateType === type);
}

/** Provenance says how a bundle was built, not that anybody vouches for what is in it. */
function requireAttested({ digest }: BundleContent, attestations: readonly CheckedAttestation[]): void {
  if (attestations.length > 0) return;
  throw new VespidError('BUNDLE_UNSIGNED', `expected at least one attestation of ${digest}, found none`, {
    hint: 'sign the bundle: vespid sign INPUT... --key KEY --out BUNDLE',
  });
}

function identityOf({ name, version, digest }: BundleContent): BundleIdentity {
  return { name, digest, ...(version === undefined ? {} : { version }) };
}

/**
 * The one payload of all signatures that are accepted, also of those that a threshold could do without: which
 * statement holds must not depend on who counts. Undefined when there are several.
 */
function agreedPayload(
  attestations: readonly CheckedAttestation[],
  payloads: Payloads,
): Uint8Array | undefined {
  const digests = new Set(attestations.flatMap(({ payloadDigest }) => payloadDigest ?? []));
  const [digest] = digests;
  return digests.size === 1 && digest !== undefined ? payloads.get(digest) : undefined;
}

const DISAGREEMENT: Refusal = {
  code: 'BUNDLE_ATTESTATIONS_DISAGREE',
  message: 'expected all trusted signers to sign the same statement, found different statements',
  hint: 'remove the attestations and have every signer sign the bundle again',
};

/** Reads the provenance of accepted signers; that of others is bytes that nobody vouches for. */
function readProvenance(
  attestations: readonly CheckedAttestation[],
  payloads: Payloads,
  bundle: BundleContent,
): readonly VerifiedProvenance[] {
  return attestations.flatMap(({ identity, signerId, payloadDigest = '' }) => {
    const payload = payloads.get(payloadDigest);
    if (payload === undefined || signerId === undefined) return [];
    const { predicate } = readProvenanceStatement(payload, bundle);
    return [{ signerId, identity, ...provenanceSource(predicate), predicate }];
  });
}

function refuse(decision: Decision, refusal: Refusal): Judgement {
  const refused = { ...decision, accepted: false, refusal };
  const { code, message, hint } = refusal;
  const outcome = new VespidError(code, message, { hint, details: { decision: refused } });
  return { decision: refused, outcome };
}

function accept(
  content: BundleContent,
  statement: Statement,
  provenance: readonly VerifiedProvenance[],
  decision: Decision,
  layout: BundleLayout,
): AcceptedBundle {
  const signers = decision.signers.flatMap(({ id, identity, counted }): readonly VerifiedSigner[] =>
    counted && id !== undefined ? [{ ...identity, id }] : [],
  );
  return new AcceptedBundle({ ...content, statement, provenance, signers, decision }, layout);
}
