import { VespidError } from '../../errors/index.js';

/** Names a bundle in a registry: `host[:port]/repository[:tag][@sha256:hex]`. */
export interface Reference {
  /** As it was given, `host` or `host:port`, in lower case. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  /** `sha256:<hex>`; what is fetched must have exactly this digest, whatever the tag says. */
  readonly digest: string | undefined;
}

/** Host name or IPv4 address, or IPv6 in brackets, with an optional port. */
const REGISTRY = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/;
/** OCI distribution spec v1.1, "Pulling manifests": `<name>` and `<reference>` as a tag. */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** Clients commonly bound host, repository and slashes together by this ("Pulling manifests", note on length). */
const MAX_NAME_LENGTH = 255;
const MAX_REFERENCE_LENGTH = 512;
const SCHEME = 'oci://';

/**
 * Reads a reference. The registry has to be named: `ubuntu` would mean another machine to every reader. A leading
 * `oci://`, as other tools print it, is passed over.
 *
 * @throws VespidError REGISTRY_REFERENCE_INVALID
 */
export function parseReference(text: string): Reference {
  if (text.length > MAX_REFERENCE_LENGTH) throw invalid(`${text.slice(0, 40)}…`, 'at most 512 characters');
  const rest = text.startsWith(SCHEME) ? text.slice(SCHEME.length) : text;
  const [named = '', digest, ...surplus] = rest.split('@');
  if (surplus.length > 0 || (digest !== undefined && !DIGEST.test(digest))) {
    throw invalid(text, '"@sha256:" and 64 lower-case hexadecimal digits after the name');
  }
  const slash = named.indexOf('/');
  const registry = named.slice(0, Math.max(slash, 0)).toLowerCase();
  if (!isRegistry(registry))
    throw invalid(text, 'a registry (with a dot, a port, or localhost) before the first "/"');
  const path = named.slice(slash + 1);
  const colon = path.lastIndexOf(':');
  const repository = colon === -1 ? path : path.slice(0, colon);
  if (!REPOSITORY.test(repository) || registry.length + 1 + repository.length > MAX_NAME_LENGTH) {
    throw invalid(
      text,
      'a repository of lower-case letters, digits and single separators after the registry',
    );
  }
  const tag = colon === -1 ? undefined : path.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, `a tag that matches ${TAG.source}`);
  return { registry, repository, tag, digest };
}

/** The text that {@link parseReference} reads back to the same reference. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  const tagPart = tag === undefined ? '' : `:${tag}`;
  const digestPart = digest === undefined ? '' : `@${digest}`;
  return `${registry}/${repository}${tagPart}${digestPart}`;
}

/** A component with neither a dot nor a port is the first part of a repository on Docker Hub to other tools. */
function isRegistry(text: string): boolean {
  if (!REGISTRY.test(text)) return false;
  const port = /:([0-9]+)$/.exec(text)?.[1];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return false;
  return port !== undefined || text.includes('.') || text === 'localhost' || text.startsWith('[');
}

function invalid(text: string, expected: string): VespidError {
  return new VespidError('REGISTRY_REFERENCE_INVALID', `${JSON.stringify(text)}: expected ${expected}`, {
    hint: 'write it as registry.example/team/sensors:1.4.0, or registry.example/team/sensors@sha256:<digest>',
  });
}
