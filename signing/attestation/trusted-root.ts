import { createPublicKey, X509Certificate } from 'node:crypto';
import { VespidError } from '../../engine/errors/index.js';
import { parseRfc3339 } from '../documents/rfc3339.js';
import { defineSchema, describeSchemaError } from '../documents/signed-document.js';

/**
 * A Sigstore trusted root (sigstore_trustroot.proto, as JSON): whose certificates, log entries and timestamps count.
 * Its own fields only; what a newer version adds stays in the document unread.
 */
export interface TrustedRoot {
  readonly [member: string]: unknown;
  readonly mediaType: string;
  /** Rekor. */
  readonly tlogs: readonly LogInstance[];
  /** Fulcio. */
  readonly certificateAuthorities: readonly CertificateAuthority[];
  /** Certificate transparency. */
  readonly ctlogs: readonly LogInstance[];
  /** RFC 3161. */
  readonly timestampAuthorities?: readonly CertificateAuthority[];
}

interface LogInstance {
  readonly baseUrl: string;
  readonly publicKey: { readonly rawBytes: string; readonly keyDetails: string; readonly validFor?: Period };
  readonly logId: { readonly keyId: string };
}

interface CertificateAuthority {
  readonly certChain: { readonly certificates: readonly { readonly rawBytes: string }[] };
  readonly validFor?: Period;
}

interface Period {
  readonly start?: string;
  readonly end?: string;
}

/** The public instance has five authorities and logs in its tenth year; a bound keeps a check quick. */
const MAX_INSTANCES = 64;
const MAX_CHAIN = 8;

const text = { type: 'string', maxLength: 2048 };
const base64 = { type: 'string', minLength: 4, maxLength: 16 * 1024, pattern: '^[A-Za-z0-9+/]+={0,2}$' };

/** Unknown members are let through: a trusted root comes from its own, signed source, and grows. */
function having(properties: Record<string, object>, required = Object.keys(properties)): object {
  return { type: 'object', required, properties };
}

const listOf = (items: object, minItems: number) => ({
  type: 'array',
  minItems,
  maxItems: MAX_INSTANCES,
  items,
});
const validFor = having({ start: { type: 'string' }, end: { type: 'string' } }, []);
const keyId = having({ keyId: base64 });
const logInstance = having(
  {
    baseUrl: { ...text, minLength: 1 },
    publicKey: having({ rawBytes: base64, keyDetails: text, validFor }, ['rawBytes', 'keyDetails']),
    logId: keyId,
    checkpointKeyId: keyId,
  },
  ['baseUrl', 'publicKey', 'logId'],
);
const authority = having(
  {
    certChain: having({
      certificates: { type: 'array', minItems: 1, maxItems: MAX_CHAIN, items: having({ rawBytes: base64 }) },
    }),
    validFor,
  },
  ['certChain'],
);

const checkTrustedRoot = defineSchema<TrustedRoot>(
  having(
    {
      mediaType: {
        enum: [
          'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
          'application/vnd.dev.sigstore.trustedroot.v0.2+json',
        ],
      },
      tlogs: listOf(logInstance, 1),
      certificateAuthorities: listOf(authority, 1),
      ctlogs: listOf(logInstance, 1),
      timestampAuthorities: listOf(authority, 0),
    },
    ['mediaType', 'tlogs', 'certificateAuthorities', 'ctlogs'],
  ),
);

/**
 * Checks a trusted root, so that a fault in it is told of as its own, and not as that of the bundles which are then
 * refused: its form, that every key and certificate can be read, and that no period ends before it starts.
 *
 * @param json the parsed document
 * @param where names it in messages
 * @throws VespidError TRUST_POLICY_ROOT_INVALID
 */
export function parseTrustedRoot(json: unknown, where: string): TrustedRoot {
  const checked = checkTrustedRoot(json);
  if ('error' in checked) {
    const place = checked.error.instancePath === '' ? 'its top level' : checked.error.instancePath;
    throw refuse(where, `${describeSchemaError(checked.error)} at ${place}`);
  }
  const root = checked.value;
  const { tlogs, ctlogs, certificateAuthorities, timestampAuthorities = [] } = root;
  for (const [member, logs] of Object.entries({ tlogs, ctlogs })) {
    for (const [index, log] of logs.entries()) checkLog(log, `${where}: ${member}/${index}`);
  }
  for (const [member, authorities] of Object.entries({ certificateAuthorities, timestampAuthorities })) {
    for (const [index, entry] of authorities.entries()) checkAuthority(entry, `${where}: ${member}/${index}`);
  }
  return root;
}

function checkLog({ publicKey }: LogInstance, where: string): void {
  const type = publicKey.keyDetails.startsWith('PKCS1_') ? 'pkcs1' : 'spki';
  const key = Buffer.from(publicKey.rawBytes, 'base64');
  read(() => createPublicKey({ key, format: 'der', type }), 'the public key in rawBytes', where);
  checkPeriod(publicKey.validFor, where);
}

function checkAuthority({ certChain, validFor: period }: CertificateAuthority, where: string): void {
  for (const [index, { rawBytes }] of certChain.certificates.entries()) {
    const der = Buffer.from(rawBytes, 'base64');
    read(() => new X509Certificate(der), 'a DER certificate', `${where}/certificates/${index}`);
  }
  checkPeriod(period, where);
}

function read(parse: () => unknown, what: string, where: string): void {
  try {
    parse();
  } catch (cause) {
    throw refuse(where, `expected ${what}, found bytes that are none`, cause);
  }
}

function checkPeriod({ start, end }: Period = {}, where: string): void {
  const [from, until] = [readMoment(start, where), readMoment(end, where)];
  if (from === undefined || until === undefined || from <= until) return;
  throw refuse(where, `expected validFor to end after its start ${start}, found ${end}`);
}

function readMoment(value: string | undefined, where: string): Date | undefined {
  if (value === undefined) return undefined;
  // Protocol Buffers writes up to nine digits of a second; three are kept.
  const moment = parseRfc3339(value.replace(/(\.\d{3})\d{1,6}(?=Z$)/, '$1'));
  if (moment === undefined)
    throw refuse(where, `expected validFor in RFC 3339 date-times, found ${JSON.stringify(value)}`);
  return moment;
}

function refuse(where: string, message: string, cause?: unknown): VespidError {
  return new VespidError('TRUST_POLICY_ROOT_INVALID', `${where}: ${message}`, {
    hint: 'give the trusted_root.json of your Sigstore instance, unchanged',
    cause,
  });
}
