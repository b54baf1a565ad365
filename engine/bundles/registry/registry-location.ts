import { isIP } from 'node:net';
import { VespidError } from '../../errors/index.js';

/** Docker Hub is known under one name and answers under another (its API has never been at docker.io). */
const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_API = 'registry-1.docker.io';

/** How a registry may be spoken to. */
export interface RegistryAccess {
  /** Speak http instead of https with the named registry; with loopback hosts that is always done. */
  readonly plainHttp: boolean;
}

/**
 * The base of a registry's API. Never plain http on a network unless it was asked for: manifests and blobs are
 * checked against digests and signatures, but passwords and tokens travel with them.
 *
 * @param registry as in a Reference
 */
export function registryBase(registry: string, { plainHttp }: RegistryAccess): URL {
  const host = registry === DOCKER_HUB ? DOCKER_HUB_API : registry;
  const secure = new URL(`https://${host}/v2/`);
  return plainHttp || isLoopback(secure.hostname) ? new URL(`http://${host}/v2/`) : secure;
}

/**
 * Resolves where a registry sends its client: a redirect, an upload location, a token server.
 *
 * @param location of a header; null when there is none
 * @param base what was asked
 * @throws VespidError REGISTRY_INSECURE for a step from https down to http, or over http to a host that is
 *   neither a loopback one nor the registry itself; REGISTRY_ANSWER_INVALID
 */
export function resolveLocation(location: string | null, base: URL): URL {
  const target = parseUrl(location, base);
  // A registry behind a proxy that ends TLS often names itself by http. Its own host is reached as before.
  if (base.protocol === 'https:' && target.protocol === 'http:' && target.host === base.host) {
    target.protocol = 'https:';
  }
  if (target.protocol === 'https:') return target;
  const allowed = base.protocol === 'http:' && (target.host === base.host || isLoopback(target.hostname));
  if (target.protocol === 'http:' && allowed) return target;
  throw new VespidError(
    'REGISTRY_INSECURE',
    `${base.host} sends its clients on to ${target.protocol}//${target.host}, expected https`,
    {
      hint: 'have the registry name an https address; neither content nor credentials are sent over plain http',
    },
  );
}

function parseUrl(location: string | null, base: URL): URL {
  const named = location !== null && URL.canParse(location, base.href);
  const target = named ? new URL(location, base) : undefined;
  // fetch refuses user information, and no registry needs it.
  if (target !== undefined && target.username === '' && target.password === '') return target;
  throw new VespidError(
    'REGISTRY_ANSWER_INVALID',
    `${base.host} sends its clients on to something that is no URL`,
    {
      hint: 'check that the address is that of an OCI registry',
    },
  );
}

/** RFC 6761 section 6.3 (localhost), RFC 1122 section 3.2.1.3 (127/8), RFC 4291 section 2.5.3 (::1). */
export function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname === '[::1]') return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}
