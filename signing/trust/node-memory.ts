import { parse as parseVersion } from 'semver';
import { VespidError } from '../../engine/errors/index.js';
import { bytesEqual } from '../documents/bytes.js';
import { canonicalJson } from '../documents/canonical-json.js';
import { defineSchema, readSignedDocument } from '../documents/signed-document.js';
import { MAX_JSON_BYTES } from '../documents/strict-json.js';
import { writePem } from '../keys/pem.js';
import { encodeSpki, parsePublicKey } from '../keys/public-key.js';
import type { RootKeys } from './trust-policy.js';

/**
 * What a node remembers so that nothing can take it back to an earlier time: the signed trust policy that it
 * accepted last, and the highest version of each bundle that took effect. A value; {@link encodeNodeMemory} is its
 * form on disk.
 */
export interface NodeMemory {
  /** Absent until a signed trust policy was accepted. */
  readonly trustPolicy?: RememberedTrustPolicy;
  /** By the name of the bundle. Unversioned bundles leave nothing here. */
  readonly bundles: ReadonlyMap<string, RememberedBundle>;
}

export interface RememberedTrustPolicy {
  readonly version: number;
  /** Of its payload, `sha256:<hex>`. */
  readonly digest: string;
  /** Who signs the next one. */
  readonly rootKeys: RootKeys;
}

export interface RememberedBundle {
  /** Semantic Versioning 2.0.0. */
  readonly version: string;
  /** Of its manifest, `sha256:<hex>`. */
  readonly digest: string;
}

/** The memory of a node that has not accepted anything yet. */
export const EMPTY_MEMORY: NodeMemory = { bundles: new Map() };

/** The document on disk. A new form gets a new `apiVersion`, so that an older Vespid refuses it instead of guessing. */
interface NodeMemoryDocument {
  readonly apiVersion: 'vespid.dev/v1';
  readonly kind: 'NodeMemory';
  readonly trustPolicy?: {
    readonly version: number;
    readonly digest: string;
    readonly rootKeys: { readonly threshold: number; readonly keys: readonly string[] };
  };
  readonly bundles: Readonly<Record<string, RememberedBundle>>;
}

/** Bundles by name; each takes some 150 bytes, and the whole has to stay below the limit of strict JSON. */
const MAX_BUNDLES = 16_384;
const digest = { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' };

const checkNodeMemory = defineSchema<NodeMemoryDocument>({
  type: 'object',
  additionalProperties: false,
  required: ['apiVersion', 'kind', 'bundles'],
  properties: {
    apiVersion: { const: 'vespid.dev/v1' },
    kind: { const: 'NodeMemory' },
    trustPolicy: {
      type: 'object',
      additionalProperties: false,
      required: ['version', 'digest', 'rootKeys'],
      properties: {
        version: { type: 'integer', minimum: 1 },
        digest,
        rootKeys: {
          type: 'object',
          additionalProperties: false,
          required: ['threshold', 'keys'],
          properties: {
            threshold: { type: 'integer', minimum: 1 },
            keys: { type: 'array', minItems: 1, maxItems: 64, items: { type: 'string', maxLength: 4096 } },
          },
        },
      },
    },
    bundles: {
      type: 'object',
      maxProperties: MAX_BUNDLES,
      propertyNames: { maxLength: 128 },
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        required: ['version', 'digest'],
        properties: {
          version: {
            type: 'string',
            maxLength: 256,
            pattern: '^\\d+\\.\\d+\\.\\d+(?:[-+][0-9A-Za-z.+-]+)?$',
          },
          digest,
        },
      },
    },
  },
});

/**
 * The bytes of a memory: canonical JSON and a line feed. `decodeNodeMemory` reads exactly this form.
 *
 * @throws VespidError INTERNAL for more bundles than {@link MAX_BUNDLES}
 */
export function encodeNodeMemory(memory: NodeMemory): Uint8Array {
  if (memory.bundles.size > MAX_BUNDLES) {
    throw new VespidError('INTERNAL', `a node remembers at most ${MAX_BUNDLES} bundles`);
  }
  const { trustPolicy } = memory;
  const document: NodeMemoryDocument = {
    apiVersion: 'vespid.dev/v1',
    kind: 'NodeMemory',
    ...(trustPolicy === undefined ? {} : { trustPolicy: encodeTrustPolicy(trustPolicy) }),
    bundles: Object.fromEntries(memory.bundles),
  };
  const json = canonicalJson(document);
  // What could not be read again would lock the node out of its own memory.
  if (json.length > MAX_JSON_BYTES) {
    throw new VespidError('INTERNAL', `a node's memory has at most ${MAX_JSON_BYTES} bytes`, {
      hint: 'make it forget bundles that are gone: vespid trust state forget NAME',
    });
  }
  const bytes = new Uint8Array(json.length + 1);
  bytes.set(json);
  bytes[json.length] = LINE_FEED;
  return bytes;
}

/** Ends the file as text files end; a file that was cut short has lost it. */
const LINE_FEED = 0x0a;

function encodeTrustPolicy({ version, digest, rootKeys }: RememberedTrustPolicy) {
  const keys = rootKeys.keys.map((key) => writePem('PUBLIC KEY', encodeSpki(key.bytes)));
  return { version, digest, rootKeys: { threshold: rootKeys.threshold, keys } };
}

/**
 * Reads a memory, and nothing but the exact form that {@link encodeNodeMemory} writes: what cannot be read is refused
 * and never taken for an empty memory, which would let everything old pass.
 *
 * @param where names the file in messages
 * @throws VespidError TRUST_STATE_CORRUPT
 */
export function decodeNodeMemory(bytes: Uint8Array, where: string): NodeMemory {
  try {
    if (bytes.at(-1) !== LINE_FEED) throw corrupt(where, 'its last line feed is missing');
    const document = readSignedDocument(bytes.subarray(0, -1), where, checkNodeMemory);
    const { trustPolicy, bundles } = document;
    requireVersions(bundles, where);
    const memory = {
      ...(trustPolicy === undefined ? {} : { trustPolicy: decodeTrustPolicy(trustPolicy, where) }),
      bundles: new Map(Object.entries(bundles)),
    };
    // PEM has more than one form.
    if (!bytesEqual(encodeNodeMemory(memory), bytes)) throw corrupt(where, 'it is not in its one form');
    return memory;
  } catch (cause) {
    if (!(cause instanceof VespidError) || cause.code === 'TRUST_STATE_CORRUPT') throw cause;
    throw corrupt(where, cause.message, cause);
  }
}

function decodeTrustPolicy(
  { version, digest, rootKeys: { threshold, keys } }: NonNullable<NodeMemoryDocument['trustPolicy']>,
  where: string,
): RememberedTrustPolicy {
  const rootKeys = { threshold, keys: keys.map((pem) => parsePublicKey(pem, `${where}: root key`)) };
  const distinct = new Set(rootKeys.keys.map(({ keyId }) => keyId)).size;
  if (distinct !== keys.length || threshold > distinct) {
    throw corrupt(where, 'its root keys repeat or cannot meet their threshold');
  }
  return { version, digest, rootKeys };
}

function requireVersions(bundles: NodeMemoryDocument['bundles'], where: string): void {
  for (const [name, { version }] of Object.entries(bundles)) {
    if (parseVersion(version) === null) throw corrupt(where, `the version of ${name} is ${version}`);
  }
}

function corrupt(where: string, reason: string, cause?: unknown): VespidError {
  return new VespidError('TRUST_STATE_CORRUPT', `${where}: expected the memory of a node, but ${reason}`, {
    hint: 'restore it from a backup; removing it makes the node forget every version that it must not go back from',
    cause,
  });
}
