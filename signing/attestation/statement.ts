import type { BundleOutline } from '../bundle/bundle-content.js';
import { embeddedSchema } from '../documents/embedded-schema.js';
import { defineSchema, readSignedDocument } from '../documents/signed-document.js';
import { type BundlePredicate, PREDICATE_TYPE } from './bundle-predicate.js';
import { BUNDLE_PREDICATE_SCHEMA } from './bundle-predicate-schema.generated.js';
import { type ProgramClaim, programSubjectName } from './program-claim.js';

/** in-toto attestation framework, spec v1, statement.md */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** A name and the digest that it is bound to (in-toto ResourceDescriptor, these two members only). */
export interface Subject {
  readonly name: string;
  readonly digest: { readonly sha256: string };
}

export interface Statement {
  readonly _type: typeof STATEMENT_TYPE;
  readonly subject: readonly Subject[];
  readonly predicateType: typeof PREDICATE_TYPE;
  readonly predicate: BundlePredicate;
}

/** Bytes enough for the longest program subject name: object, `#`, section, `/`, symbol. */
const MAX_SUBJECT_NAME = 1024;
/** Layers and programs of the largest bundle, and its manifest. */
const MAX_SUBJECTS = 2048;

const checkStatement = defineSchema<Statement>({
  type: 'object',
  additionalProperties: false,
  required: ['_type', 'subject', 'predicateType', 'predicate'],
  properties: {
    _type: { const: STATEMENT_TYPE },
    predicateType: { const: PREDICATE_TYPE },
    subject: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_SUBJECTS,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'digest'],
        properties: {
          name: { type: 'string', minLength: 1, maxLength: MAX_SUBJECT_NAME },
          digest: {
            type: 'object',
            additionalProperties: false,
            required: ['sha256'],
            properties: { sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' } },
          },
        },
      },
    },
    predicate: embeddedSchema(BUNDLE_PREDICATE_SCHEMA),
  },
});

/**
 * Every subject that a statement over this content must have, and no other: the bundle's manifest (under a name
 * that no file can have), each policy, each object, and each claimed program.
 */
export function expectedSubjects(
  content: Pick<BundleOutline, 'name' | 'digest' | 'policies' | 'objects'>,
  claims: readonly ProgramClaim[],
): readonly Subject[] {
  return [
    subject(`bundle:${content.name}`, hexOf(content.digest)),
    ...[...content.policies, ...content.objects].map(({ name, digest }) => subject(name, hexOf(digest))),
    ...claims.map((claim) => subject(programSubjectName(claim), claim.sha256)),
  ];
}

/** @param digest `sha256:<hex>` */
function hexOf(digest: string): string {
  return digest.slice('sha256:'.length);
}

function subject(name: string, sha256: string): Subject {
  return { name, digest: { sha256 } };
}

/**
 * Reads the payload of an envelope whose signature was verified.
 *
 * @throws VespidError BUNDLE_JSON_*, BUNDLE_STATEMENT_INVALID
 */
export function readStatement(payload: Uint8Array): Statement {
  return readSignedDocument(payload, 'in-toto statement', checkStatement, 'BUNDLE_STATEMENT_INVALID');
}
