import { VespidError } from '../../engine/errors/index.js';
import { parseRfc3339 } from '../documents/rfc3339.js';
import { describeSchemaError } from '../documents/signed-document.js';
import { YamlSource } from '../documents/yaml-source.js';
import { type PublicKey, parsePublicKey } from '../keys/public-key.js';
import {
  checkTrustPolicyDocument,
  type TrustedKeyDocument,
  type TrustPolicyDocument,
} from './trust-policy-schema.js';

/** Whose signatures count, and how many of them a bundle needs. */
export interface TrustPolicy {
  /** Number of distinct keys, at least 1. */
  readonly threshold: number;
  readonly keys: readonly TrustedKey[];
}

export interface TrustedKey {
  /** Name of the key in messages and events. */
  readonly id: string;
  readonly publicKey: PublicKey;
  /** First moment at which its signatures count. */
  readonly validFrom?: Date;
  /** First moment at which they no longer count. */
  readonly validUntil?: Date;
}

/**
 * Reads a trust policy.
 *
 * @param file path of the policy, for messages and for finding the keys beside it
 * @param readFile gives the text of a public key file; called with paths relative to the working directory, or
 *   absolute ones
 * @throws VespidError TRUST_POLICY_MALFORMED, TRUST_POLICY_INVALID, TRUST_POLICY_DATE_INVALID,
 *   TRUST_POLICY_KEY_UNREADABLE, TRUST_POLICY_ID_DUPLICATE, TRUST_POLICY_KEY_DUPLICATE,
 *   TRUST_POLICY_THRESHOLD_UNREACHABLE, KEY_*; each with file, line and column
 */
export function parseTrustPolicy(
  text: string,
  file: string,
  readFile: (path: string) => string,
): TrustPolicy {
  const source = new YamlSource(file, text);
  const document = checkForm(source);
  const keys = document.keys.map((key, index) => readTrustedKey(key, index, source, file, readFile));
  requireDistinct(keys, source);
  if (document.threshold > keys.length) {
    throw source.fault(
      'TRUST_POLICY_THRESHOLD_UNREACHABLE',
      `expected a threshold of at most ${keys.length}, the number of keys, found ${document.threshold}`,
      ['threshold'],
      { hint: 'lower the threshold or add keys; as it is, no bundle could ever be accepted' },
    );
  }
  return { threshold: document.threshold, keys };
}

function checkForm(source: YamlSource): TrustPolicyDocument {
  const checked = checkTrustPolicyDocument(source.toValue());
  if ('value' in checked) return checked.value;
  throw new VespidError('TRUST_POLICY_INVALID', describeSchemaError(checked.error), {
    hint: 'a trust policy has apiVersion, kind, threshold and keys; a key has id, publicKey, validFrom, validUntil',
    location: source.locateSchemaError(checked.error),
  });
}

function readTrustedKey(
  key: TrustedKeyDocument,
  index: number,
  source: YamlSource,
  file: string,
  readFile: (path: string) => string,
): TrustedKey {
  const validFrom = readMoment(key.validFrom, ['keys', index, 'validFrom'], source);
  const validUntil = readMoment(key.validUntil, ['keys', index, 'validUntil'], source);
  if (validFrom !== undefined && validUntil !== undefined && !(validFrom < validUntil)) {
    const message = `expected validUntil after validFrom, found ${key.validUntil} after ${key.validFrom}`;
    const hint = 'as it is, the key would never be valid';
    throw source.fault('TRUST_POLICY_DATE_INVALID', message, ['keys', index, 'validUntil'], { hint });
  }
  return {
    id: key.id,
    publicKey: readPublicKey(
      resolveBeside(file, key.publicKey),
      ['keys', index, 'publicKey'],
      source,
      readFile,
    ),
    ...(validFrom === undefined ? {} : { validFrom }),
    ...(validUntil === undefined ? {} : { validUntil }),
  };
}

function readMoment(
  text: string | undefined,
  path: readonly (string | number)[],
  source: YamlSource,
): Date | undefined {
  if (text === undefined) return undefined;
  const moment = parseRfc3339(text);
  if (moment !== undefined) return moment;
  const message = `expected an RFC 3339 date and time, found ${JSON.stringify(text)}`;
  throw source.fault('TRUST_POLICY_DATE_INVALID', message, path, {
    hint: 'write it like 2027-01-31T00:00:00Z',
  });
}

function readPublicKey(
  keyFile: string,
  path: readonly (string | number)[],
  source: YamlSource,
  readFile: (path: string) => string,
): PublicKey {
  let pem: string;
  try {
    pem = readFile(keyFile);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw source.fault(
      'TRUST_POLICY_KEY_UNREADABLE',
      `could not read the public key ${keyFile}: ${reason}`,
      path,
      {
        hint: 'publicKey is a path relative to the trust policy',
        cause,
      },
    );
  }
  try {
    return parsePublicKey(pem, keyFile);
  } catch (cause) {
    if (!(cause instanceof VespidError)) throw cause;
    throw source.fault(cause.code, cause.message, path, {
      hint: cause.hint ?? 'give an Ed25519 public key',
      cause,
    });
  }
}

/** `path` as seen from the directory of `file`. */
function resolveBeside(file: string, path: string): string {
  return path.startsWith('/') ? path : file.slice(0, file.lastIndexOf('/') + 1) + path;
}

/** One key under two ids would let one signer meet a threshold of two. */
function requireDistinct(keys: readonly TrustedKey[], source: YamlSource): void {
  for (const [index, key] of keys.entries()) {
    const earlier = keys.slice(0, index);
    if (earlier.some(({ id }) => id === key.id)) {
      throw source.fault(
        'TRUST_POLICY_ID_DUPLICATE',
        `expected each id once, found ${key.id} again`,
        ['keys', index, 'id'],
        {
          hint: 'give each key its own id',
        },
      );
    }
    const twin = earlier.find(({ publicKey }) => publicKey.keyId === key.publicKey.keyId);
    if (twin !== undefined) {
      const message = `expected each key once, found the key of ${twin.id} again under ${key.id}`;
      throw source.fault('TRUST_POLICY_KEY_DUPLICATE', message, ['keys', index, 'publicKey'], {
        hint: 'remove one of the two entries: one key is one signer',
      });
    }
  }
}
