import { VespidError } from '../../engine/errors/index.js';
import { canonicalJson, type JsonObject } from '../documents/canonical-json.js';
import { embeddedSchema } from '../documents/embedded-schema.js';
import { defineSchema, describeSchemaError, readSignedDocument } from '../documents/signed-document.js';
import { parseStrictJson } from '../documents/strict-json.js';
import { PROVENANCE_SCHEMA } from './provenance-schema.generated.js';
import { STATEMENT_TYPE, type Subject } from './statement.js';

/** predicateType of a statement about how a bundle was built (slsa.dev/spec/v1.0/provenance). */
export const PROVENANCE_TYPE = 'https://slsa.dev/provenance/v1';

/**
 * SLSA provenance v1: the members that we write or read (provenance.schema.json). Others of the specification, and extensions, stay as they
 * are in what is signed, and are passed over in what is read ("Parsing rules": consumers ignore unknown fields).
 */
export interface Provenance {
  readonly buildDefinition: {
    /** URI of the document that says what the parameters mean. */
    readonly buildType: string;
    /** What whoever asked for the build chose, the source among it. */
    readonly externalParameters: JsonObject;
    readonly internalParameters?: JsonObject;
    readonly resolvedDependencies?: readonly ResolvedDependency[];
  };
  readonly runDetails: {
    readonly builder: { readonly id: string; readonly version?: Readonly<Record<string, string>> };
    readonly metadata?: {
      readonly invocationId?: string;
      /** RFC 3339, in UTC. */
      readonly startedOn?: string;
      readonly finishedOn?: string;
    };
  };
}

/** The members that we write or read of an in-toto ResourceDescriptor. */
export interface ResolvedDependency {
  /** `git+https://github.com/acme/sensors@refs/heads/main` */
  readonly uri?: string;
  readonly digest?: Readonly<Record<string, string>>;
}

export interface ProvenanceStatement {
  readonly _type: typeof STATEMENT_TYPE;
  /** The manifest of the bundle, alone. */
  readonly subject: readonly [Subject];
  readonly predicateType: typeof PROVENANCE_TYPE;
  readonly predicate: Provenance;
}

const checkProvenance = defineSchema<Provenance>(PROVENANCE_SCHEMA);

const checkProvenanceStatement = defineSchema<ProvenanceStatement>({
  type: 'object',
  additionalProperties: false,
  required: ['_type', 'subject', 'predicateType', 'predicate'],
  properties: {
    _type: { const: STATEMENT_TYPE },
    predicateType: { const: PROVENANCE_TYPE },
    subject: {
      type: 'array',
      minItems: 1,
      maxItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'digest'],
        properties: {
          name: { type: 'string', minLength: 1, maxLength: 1024 },
          digest: {
            type: 'object',
            additionalProperties: false,
            required: ['sha256'],
            properties: { sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' } },
          },
        },
      },
    },
    predicate: embeddedSchema(PROVENANCE_SCHEMA),
  },
});

/**
 * The payload to sign: this bundle was built so.
 *
 * @param bundle name and digest (`sha256:<hex>`) of its manifest
 * @returns canonical JSON of a {@link ProvenanceStatement}
 */
export function provenanceStatement(
  bundle: { readonly name: string; readonly digest: string },
  provenance: Provenance,
): Uint8Array {
  const statement: ProvenanceStatement = {
    _type: STATEMENT_TYPE,
    subject: [manifestSubject(bundle)],
    predicateType: PROVENANCE_TYPE,
    predicate: provenance,
  };
  return canonicalJson(statement);
}

/**
 * Reads the payload of a provenance attestation whose signature was verified, and holds it to this bundle.
 *
 * @throws VespidError BUNDLE_JSON_*, BUNDLE_STATEMENT_INVALID, BUNDLE_SUBJECT_MISMATCH
 */
export function readProvenanceStatement(
  payload: Uint8Array,
  bundle: { readonly name: string; readonly digest: string },
): ProvenanceStatement {
  const statement = readSignedDocument(
    payload,
    'SLSA provenance statement',
    checkProvenanceStatement,
    'BUNDLE_STATEMENT_INVALID',
  );
  const expected = manifestSubject(bundle);
  const [found] = statement.subject;
  if (found.name === expected.name && found.digest.sha256 === expected.digest.sha256) return statement;
  throw new VespidError(
    'BUNDLE_SUBJECT_MISMATCH',
    `SLSA provenance statement: expected ${expected.name} with sha256 ${expected.digest.sha256}, found ` +
      `${JSON.stringify(found.name)} with ${found.digest.sha256}`,
    { hint: 'the attestation was made for another bundle; remove it, or fetch the bundle that was signed' },
  );
}

function manifestSubject({ name, digest }: { readonly name: string; readonly digest: string }): Subject {
  return { name: `bundle:${name}`, digest: { sha256: digest.slice('sha256:'.length) } };
}

/**
 * Reads what `--provenance FILE` gives: the predicate alone, as other builders write it.
 *
 * @param file its name, for messages
 * @throws VespidError PROVENANCE_INVALID
 */
export function readProvenanceFile(bytes: Uint8Array, file: string): Provenance {
  const parsed = parsedFile(bytes, file);
  const checked = checkProvenance(parsed);
  if ('value' in checked) return checked.value;
  const place = checked.error.instancePath === '' ? 'its top level' : checked.error.instancePath;
  throw new VespidError('PROVENANCE_INVALID', `${file}: ${describeSchemaError(checked.error)} at ${place}`, {
    hint: 'give the predicate of SLSA provenance v1 alone, without the statement around it: slsa.dev/spec/v1.0/provenance',
  });
}

function parsedFile(bytes: Uint8Array, file: string): unknown {
  try {
    return parseStrictJson(bytes, file);
  } catch (cause) {
    if (!(cause instanceof VespidError)) throw cause;
    throw new VespidError('PROVENANCE_INVALID', cause.message, {
      hint: 'SLSA provenance is one JSON object in UTF-8, with integers only and no member twice',
      cause,
    });
  }
}
