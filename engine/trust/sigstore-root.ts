import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTrustedRoot } from '../../signing/index.js';
import { innermostReasonOf, VespidError } from '../errors/index.js';

/** TUF repository of Sigstore's public instance; @sigstore/tuf holds its root. */
export const SIGSTORE_MIRROR_URL = 'https://tuf-repo-cdn.sigstore.dev';

const TARGET = 'trusted_root.json';

export interface SigstoreRootSource {
  /** Address of a TUF repository with a {@link TARGET}. */
  readonly mirrorUrl: string;
  /** Path of the root.json to start from; absent: the one that @sigstore/tuf holds for the public instance. */
  readonly rootPath?: string | undefined;
}

export interface FetchTiming {
  readonly timeoutMs: number;
  /** After the first attempt. */
  readonly retries: number;
}

const TIMING: FetchTiming = { timeoutMs: 20_000, retries: 2 };

/**
 * Fetches the trusted root of a Sigstore instance by The Update Framework: from a root that is known, over the chain
 * of roots that each signed the next, to the signed digest of the file. Nothing is kept: a cache that others can
 * write to would be a way around it.
 *
 * @returns the file as it was signed
 * @throws VespidError SIGSTORE_ROOT_UNAVAILABLE, TRUST_POLICY_ROOT_INVALID
 */
export async function fetchSigstoreRoot(
  { mirrorUrl, rootPath }: SigstoreRootSource,
  timing: FetchTiming = TIMING,
): Promise<string> {
  const { initTUF } = await import('@sigstore/tuf');
  const cachePath = await mkdtemp(join(tmpdir(), 'vespid-tuf-'));
  try {
    const client = await initTUF({
      mirrorURL: mirrorUrl,
      cachePath,
      ...(rootPath === undefined ? {} : { rootPath }),
      timeout: timing.timeoutMs,
      retry: { retries: timing.retries },
    });
    const text = await client.getTarget(TARGET);
    parseTrustedRoot(JSON.parse(text), `${TARGET} of ${mirrorUrl}`);
    return text;
  } catch (error) {
    throw asUnavailable(error, mirrorUrl);
  } finally {
    await rm(cachePath, { recursive: true, force: true });
  }
}

function asUnavailable(error: unknown, mirrorUrl: string): VespidError {
  if (error instanceof VespidError) return error;
  return new VespidError(
    'SIGSTORE_ROOT_UNAVAILABLE',
    `expected a trusted root from ${mirrorUrl}, found: ${innermostReasonOf(error)}`,
    { hint: 'check the network, and that the TUF root is that of this repository', cause: error },
  );
}
