import type { ErrorObject } from 'ajv/dist/2020.js';
import { closestName, reasonOf, VespidError } from '../../engine/errors/index.js';
import { describeSchemaError } from '../documents/signed-document.js';
import { parseStrictJson } from '../documents/strict-json.js';
import { YamlSource } from '../documents/yaml-source.js';
import { besidePolicy, type PolicyFile, readMoment, readNamedFile, readPublicKey } from './policy-file.js';
import { checkGroups, checkThresholds } from './resolve-requirements.js';
import { resolveRevocations } from './resolve-revocations.js';
import { resolveSigners } from './resolve-signers.js';
import type { RootKeys, TrustPolicy } from './trust-policy.js';
import { checkTrustPolicyDocument, type TrustPolicyDocument } from './trust-policy-document.js';

/**
 * Reads a trust policy.
 *
 * @param file path of the policy, for messages and for finding the files beside it
 * @param readFile gives the text of a public key or trusted root file; called with paths relative to the working
 *   directory, or absolute ones
 * @throws VespidError TRUST_POLICY_*, KEY_*; each with file, line and column
 */
export function parseTrustPolicy(
  text: string,
  file: string,
  readFile: (path: string) => string,
): TrustPolicy {
  const source = new YamlSource(file, text);
  return resolveTrustPolicy(checkForm(source), { source, path: file, readFile });
}

function resolveTrustPolicy(document: TrustPolicyDocument, file: PolicyFile): TrustPolicy {
  const { version, expires, threshold, groups = {}, require = [], minimumVersions = {} } = document;
  const trustedRoot = resolveTrustedRoot(document, file);
  const rootKeys = resolveRootKeys(document, file);
  const policy: TrustPolicy = {
    ...(version === undefined ? {} : { version }),
    ...(expires === undefined ? {} : { expires: readMoment(file, expires, ['expires']) }),
    threshold,
    signers: resolveSigners(document, file),
    groups: new Map(Object.entries(groups)),
    requirements: require,
    ...resolveRevocations(document, file),
    minimumVersions: new Map(Object.entries(minimumVersions)),
    ...(trustedRoot === undefined ? {} : { trustedRoot }),
    ...(document.provenance === undefined ? {} : { provenance: document.provenance }),
    ...(rootKeys === undefined ? {} : { rootKeys }),
  };
  checkGroups(document, policy, file);
  checkThresholds(policy, file);
  return policy;
}

function checkForm(source: YamlSource): TrustPolicyDocument {
  const checked = checkTrustPolicyDocument(source.toValue());
  if ('value' in checked) return checked.value;
  throw new VespidError('TRUST_POLICY_INVALID', describeSchemaError(checked.error), {
    hint: hintFor(checked.error),
    location: source.locateSchemaError(checked.error),
  });
}

/** A near name for a field that the schema does not know, and where all are described. */
function hintFor(error: ErrorObject): string {
  const everywhere = 'docs/trust-policy.md describes every field';
  const unknownField: unknown = error.params['additionalProperty'];
  if (typeof unknownField !== 'string') return everywhere;
  const fields: unknown = error.parentSchema?.['properties'];
  const known = typeof fields === 'object' && fields !== null ? Object.keys(fields) : [];
  const near = closestName(unknownField, known);
  return near === undefined ? everywhere : `did you mean ${near}? ${everywhere}`;
}

/**
 * The trusted root as JSON; what it says is read by whoever verifies with it.
 *
 * @throws VespidError TRUST_POLICY_ROOT_UNREADABLE, TRUST_POLICY_ROOT_INVALID, TRUST_POLICY_INVALID
 */
function resolveTrustedRoot(document: TrustPolicyDocument, file: PolicyFile): TrustPolicy['trustedRoot'] {
  const trustedRoot = document.sigstore?.trustedRoot;
  if (trustedRoot === undefined) {
    if (document.identities === undefined) return undefined;
    throw file.source.fault('TRUST_POLICY_INVALID', 'missing field "sigstore"', ['identities'], {
      hint: 'identities are verified with a Sigstore trusted root: sigstore: { trustedRoot: trusted_root.json }',
    });
  }
  if (typeof trustedRoot !== 'string') return trustedRoot;
  const path = ['sigstore', 'trustedRoot'];
  const rootFile = besidePolicy(file, trustedRoot);
  const text = readNamedFile(file, rootFile, path, 'trusted root', 'TRUST_POLICY_ROOT_UNREADABLE');
  return readRootJson(text, rootFile, path, file);
}

function readRootJson(text: string, rootFile: string, path: readonly string[], { source }: PolicyFile) {
  const hint = 'give the trusted_root.json of your Sigstore instance';
  let value: unknown;
  try {
    value = parseStrictJson(new TextEncoder().encode(text), rootFile);
  } catch (cause) {
    const reason = reasonOf(cause);
    throw source.fault('TRUST_POLICY_ROOT_INVALID', `the trusted root is not JSON: ${reason}`, path, {
      hint,
      cause,
    });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value));
  }
  throw source.fault('TRUST_POLICY_ROOT_INVALID', `${rootFile}: expected a JSON object`, path, { hint });
}

/** @throws VespidError TRUST_POLICY_KEY_DUPLICATE, TRUST_POLICY_THRESHOLD_UNREACHABLE, KEY_* */
function resolveRootKeys({ rootKeys }: TrustPolicyDocument, file: PolicyFile): RootKeys | undefined {
  if (rootKeys === undefined) return undefined;
  const keys = rootKeys.keys.map((text, index) => readPublicKey(file, text, ['rootKeys', 'keys', index]));
  const repeated = keys.findIndex(
    ({ keyId }, index) => keys.findIndex((key) => key.keyId === keyId) !== index,
  );
  if (repeated !== -1) {
    const message = `expected each root key once, found ${keys[repeated]?.keyId} again`;
    throw file.source.fault('TRUST_POLICY_KEY_DUPLICATE', message, ['rootKeys', 'keys', repeated], {
      hint: 'remove one of the two entries: one key is one signer',
    });
  }
  if (rootKeys.threshold > keys.length) {
    const message = `expected a threshold of at most ${keys.length}, the number of root keys, found ${rootKeys.threshold}`;
    throw file.source.fault('TRUST_POLICY_THRESHOLD_UNREACHABLE', message, ['rootKeys', 'threshold'], {
      hint: 'lower the threshold or add root keys; as it is, no next trust policy could ever be signed',
    });
  }
  return { threshold: rootKeys.threshold, keys };
}
