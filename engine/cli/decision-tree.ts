import {
  type Decision,
  describeMissingGrant,
  type MissingGrant,
  type RequirementDecision,
  type SignerDecision,
  type SignerIdentity,
} from '../../signing/index.js';
import { escapeForTerminal } from '../events/index.js';

/** A line, and what stands below it. */
interface Branch {
  readonly text: string;
  readonly children?: readonly Branch[];
}

/** Missing grants of one signer that are shown; a bundle of a hundred programs can lack hundreds. */
const SHOWN_GRANTS = 12;

/**
 * A decision as a tree: each signer with whether it is valid, entitled and counted, then what is required, then the
 * verdict. Names in it are the bundle's, so what could steer a terminal is escaped.
 *
 * @param source path or reference of the bundle
 */
export function decisionLines(source: string, decision: Decision): string[] {
  const { name, version, digest } = decision.bundle;
  const title = `${source}: ${[name, version ?? 'without version', digest].join(', ')}`;
  const children = [
    ...decision.signers.map(signerBranch),
    { text: 'required', children: decision.requirements.map(requirementBranch) },
    verdictBranch(decision),
  ];
  return [escapeForTerminal(title), ...branchLines(children, '')];
}

function signerBranch(signer: SignerDecision): Branch {
  const { id, identity, missingGrants } = signer;
  const who = identityText(identity);
  return {
    text: id === undefined ? who : `${id}: ${who}`,
    children: [
      { text: `valid: ${validityText(signer)}` },
      entitlementBranch(missingGrants),
      { text: `counted: ${countText(signer)}` },
    ],
  };
}

function identityText(identity: SignerIdentity): string {
  return identity.kind === 'key' ? `key ${identity.keyId}` : `${identity.subject} of ${identity.issuer}`;
}

function validityText({ standing, revocation }: SignerDecision): string {
  switch (standing) {
    case 'accepted':
      return 'yes';
    case 'unknown':
      return 'no, the trust policy does not name it';
    case 'expired':
      return 'no, it is past its validUntil';
    case 'not-yet-valid':
      return 'no, it is before its validFrom';
    case 'revoked':
      return `no, it is revoked: ${revocation ?? 'no reason given'}`;
  }
}

function entitlementBranch(missing: readonly MissingGrant[] | undefined): Branch {
  if (missing === undefined) return { text: 'entitled: not judged' };
  if (missing.length === 0) return { text: 'entitled: yes, to everything in the bundle' };
  const shown = missing.slice(0, SHOWN_GRANTS).map((one) => ({
    text: `${one.subject}: ${describeMissingGrant(one)}`,
  }));
  const hidden = missing.length - shown.length;
  return {
    text: `entitled: no, ${missing.length} ${missing.length === 1 ? 'grant is' : 'grants are'} missing`,
    children: hidden === 0 ? shown : [...shown, { text: `and ${hidden} more; --json has them all` }],
  };
}

function countText({ counted, standing, missingGrants = [] }: SignerDecision): string {
  if (counted) return 'yes';
  return standing === 'accepted' && missingGrants.length === 0 ? 'no, this signer counts already' : 'no';
}

function requirementBranch({ label, needed, counted, by, met }: RequirementDecision): Branch {
  const names = by.length === 0 ? '' : `: ${by.join(', ')}`;
  return { text: `${label}: ${met ? 'met' : 'NOT met'}, ${counted} of ${needed}${names}` };
}

function verdictBranch({ refusal }: Decision): Branch {
  if (refusal === undefined) return { text: 'accepted by the trust policy' };
  return { text: `REFUSED: ${refusal.code}`, children: [{ text: refusal.message }] };
}

function branchLines(branches: readonly Branch[], margin: string): string[] {
  return branches.flatMap(({ text, children = [] }, at) => {
    const isLast = at === branches.length - 1;
    return [
      `${margin}${isLast ? '└─ ' : '├─ '}${escapeForTerminal(text)}`,
      ...branchLines(children, `${margin}${isLast ? '   ' : '│  '}`),
    ];
  });
}
