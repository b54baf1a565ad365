import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasSystemCode, reasonOf, VespidError } from '../../errors/index.js';
import { askCredentialHelper } from './credential-helper.js';
import type { Credentials, FindCredentials } from './credentials.js';

/** Some hundred registries; a file beyond this is none that a login wrote. */
const MAX_CONFIG_BYTES = 1024 * 1024;
/** The key of Docker Hub, under whichever name it is referred to. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

type JsonMembers = Readonly<Record<string, unknown>>;

/**
 * Finds credentials where `docker login` and its like leave them: `config.json` in `$DOCKER_CONFIG` or
 * `~/.docker`. In docker's order: the helper named for the registry, the helper for all, the file itself
 * (docker/cli, cli/config/configfile/file.go).
 *
 * @param environment of the process: DOCKER_CONFIG, and what the helpers need
 * @throws (the function that it returns) VespidError REGISTRY_CREDENTIALS_UNREADABLE
 */
export function dockerCredentials(environment: NodeJS.ProcessEnv): FindCredentials {
  return async (registry) => {
    const path = join(environment['DOCKER_CONFIG'] || join(homedir(), '.docker'), 'config.json');
    const config = await readConfig(path);
    const key = registry === 'docker.io' ? DOCKER_HUB_KEY : registry;
    const helper = membersOf(config['credHelpers'])[key] ?? config['credsStore'];
    if (typeof helper === 'string' && helper !== '') return askCredentialHelper(helper, key, environment);
    return readEntry(findEntry(membersOf(config['auths']), key), path);
  };
}

async function readConfig(path: string): Promise<JsonMembers> {
  let text: string;
  try {
    if ((await stat(path)).size > MAX_CONFIG_BYTES) throw unreadable(path, 'it is larger than 1 MiB');
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (hasSystemCode(cause, 'ENOENT') || hasSystemCode(cause, 'ENOTDIR')) return {};
    if (cause instanceof VespidError) throw cause;
    throw unreadable(path, reasonOf(cause));
  }
  try {
    return membersOf(JSON.parse(text));
  } catch {
    // Neither the message nor the cause: the parser quotes what it read, and this file holds passwords.
    throw unreadable(path, 'it is not JSON');
  }
}

/** Logins have written the same registry as a host, as a URL, and with the version of the API. */
function findEntry(auths: JsonMembers, key: string): JsonMembers | undefined {
  const exact = auths[key];
  if (exact !== undefined) return membersOf(exact);
  const host = hostOfKey(key);
  const found = Object.entries(auths).find(([name]) => hostOfKey(name) === host);
  return found === undefined ? undefined : membersOf(found[1]);
}

function hostOfKey(key: string): string {
  return key
    .replace(/^https?:\/\//, '')
    .replace(/\/(?:v[12]\/?)?$/, '')
    .toLowerCase();
}

function readEntry(entry: JsonMembers | undefined, path: string): Credentials | undefined {
  if (entry === undefined) return undefined;
  const { auth, username, password, identitytoken, registrytoken } = entry;
  const source = `the entry in ${path}`;
  if (isText(identitytoken)) return { kind: 'refresh-token', token: identitytoken, source };
  if (isText(registrytoken)) return { kind: 'access-token', token: registrytoken, source };
  if (isText(auth)) return { ...splitAuth(auth, path), kind: 'password', source };
  if (isText(username) && isText(password)) return { kind: 'password', username, password, source };
  return undefined;
}

/** `auth` is base64 of `user:password`; a password may hold colons. */
function splitAuth(auth: string, path: string): { readonly username: string; readonly password: string } {
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = text.indexOf(':');
  if (colon < 1) throw unreadable(path, 'an "auth" in it is not base64 of user:password');
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function membersOf(value: unknown): JsonMembers {
  // Every member of a JSON object is read as unknown and checked where it is used.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonMembers) : {};
}

function unreadable(path: string, reason: string): VespidError {
  return new VespidError('REGISTRY_CREDENTIALS_UNREADABLE', `${path} gives no credentials: ${reason}`, {
    hint: 'repair or remove the file, or name another directory in DOCKER_CONFIG, then log in again',
  });
}
