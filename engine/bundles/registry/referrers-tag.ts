import { setTimeout as wait } from 'node:timers/promises';
import { INDEX_MEDIA_TYPE } from '../../../signing/bundle/oci-layout.js';
import { VespidError } from '../../errors/index.js';
import {
  listThroughTag,
  type Referrer,
  type ReferrersList,
  referrersIndex,
  referrersTag,
} from './referrers.js';
import type { PutConditions, RegistryClient } from './registry-client.js';

/** Several signers of one bundle may push at once; each round lets at least one of them through. */
const MAX_ROUNDS = 12;
/** Below this a busy machine may stop a client between its read and its write. */
const MIN_SETTLE_MS = 150;
/** Another client takes about as long as we do; several times that leaves it room. */
const SETTLE_FACTOR = 4;

/**
 * Adds entries to the index of referrers that clients keep themselves in a registry without the API. Entries of
 * others stay as they are.
 *
 * The registry has no compare-and-swap (those that honour If-Match get it), so two clients can both read, and the
 * second write undoes the first. Therefore each looks again after a while, longer than another client's own step
 * from read to write takes, and adds what is missing.
 *
 * @param subject digest that the referrers refer to
 * @throws VespidError REGISTRY_UNAVAILABLE when others undo every attempt; and those of requests
 */
export async function addToReferrersTag(
  client: RegistryClient,
  subject: string,
  added: readonly Referrer[],
): Promise<void> {
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const startedAtMs = performance.now();
    const list = await listThroughTag(client, subject);
    const missing = added.filter(({ digest }) => !list.referrers.some((known) => known.digest === digest));
    if (missing.length === 0) return;
    const index = referrersIndex([...list.referrers, ...missing]);
    await client.putManifest(referrersTag(subject), INDEX_MEDIA_TYPE, index, conditionsFor(list));
    const stepMs = performance.now() - startedAtMs;
    await wait(Math.max(MIN_SETTLE_MS, stepMs * SETTLE_FACTOR) * (1 + Math.random()));
  }
  throw new VespidError(
    'REGISTRY_UNAVAILABLE',
    `the list of referrers at the tag ${referrersTag(subject)} was changed by others at every attempt`,
    { hint: 'push again when the other pushes of this bundle have ended' },
  );
}

/** "The client MAY use conditional HTTP push for registries that support ETag conditions." */
function conditionsFor({ exists, etag }: ReferrersList): PutConditions {
  if (exists !== true) return { 'if-none-match': '*' };
  return etag === undefined ? {} : { 'if-match': etag };
}
