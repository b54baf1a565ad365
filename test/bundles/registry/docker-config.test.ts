import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { dockerCredentials } from '../../../engine/bundles/registry/docker-config.js';

let folder = '';
const environment = () => ({ DOCKER_CONFIG: folder, PATH: `${folder}:${process.env['PATH']}` });
const find = (registry: string) => dockerCredentials(environment())(registry);
const configure = (config: unknown) => writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
const base64 = (text: string) => Buffer.from(text).toString('base64');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vespid-docker-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A credential helper of the given name whose answer is shell code. */
function installHelper(name: string, script: string): void {
  writeFileSync(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, `docker-credential-${name}`), 0o755);
}

describe('the docker config', () => {
  test.each([
    ['a host', 'r.example:5000', 'r.example:5000'],
    ['a URL', 'r.example', 'https://r.example'],
    ['a URL with the API version', 'r.example', 'https://r.example/v2/'],
    ['another case', 'r.example', 'R.Example'],
    ['Docker Hub', 'docker.io', 'https://index.docker.io/v1/'],
  ])('has the entry of %s', async (_name, registry, key) => {
    configure({ auths: { 'other.example': { auth: base64('a:b') }, [key]: { auth: base64('ci:se:cret') } } });
    expect(await find(registry)).toEqual({
      kind: 'password',
      username: 'ci',
      password: 'se:cret',
      source: `the entry in ${join(folder, 'config.json')}`,
    });
  });

  test.each([
    [
      'user and password',
      { username: 'u', password: 'p' },
      { kind: 'password', username: 'u', password: 'p' },
    ],
    ['a refresh token', { auth: base64('u:'), identitytoken: 't' }, { kind: 'refresh-token', token: 't' }],
    ['an access token', { registrytoken: 't' }, { kind: 'access-token', token: 't' }],
  ])('gives %s', async (_name, entry, expected) => {
    configure({ auths: { 'r.example': entry } });
    expect(await find('r.example')).toMatchObject(expected);
  });

  test.each([
    ['an entry of another host', { auths: { 'r.example.evil': { auth: base64('a:b') } } }],
    ['an entry of another port', { auths: { 'r.example:444': { auth: base64('a:b') } } }],
    ['an empty entry', { auths: { 'r.example': {} } }],
    ['no entries', {}],
    ['a list', []],
  ])('has nothing for a registry with %s', async (_name, config) => {
    configure(config);
    expect(await find('r.example')).toBeUndefined();
  });

  it('may be absent', async () => {
    expect(await find('r.example')).toBeUndefined();
  });

  test.each([
    ['is not JSON', () => writeFileSync(join(folder, 'config.json'), '{"auths": hunter2')],
    ['is a directory', () => mkdirSync(join(folder, 'config.json'))],
    ['is huge', () => writeFileSync(join(folder, 'config.json'), ' '.repeat(2 ** 20 + 1))],
    ['has an auth without a colon', () => configure({ auths: { 'r.example': { auth: base64('hunter2') } } })],
  ])('that %s is named, without what stands in it', async (_name, prepare) => {
    prepare();
    const failure = await find('r.example').catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'REGISTRY_CREDENTIALS_UNREADABLE',
      message: expect.stringContaining(join(folder, 'config.json')),
    });
    expect(failure).not.toHaveProperty('cause');
    expect(JSON.stringify(failure)).not.toMatch(/hunter2|aHVudGVyMg/);
  });
});

describe('a credential helper', () => {
  it('is asked with the server on its standard input', async () => {
    installHelper(
      'vault',
      `read server; echo "{\\"ServerURL\\":\\"x\\",\\"Username\\":\\"$1-$server\\",\\"Secret\\":\\"s\\"}"`,
    );
    configure({ credsStore: 'vault', auths: { 'r.example': { auth: base64('not:this') } } });
    expect(await find('r.example')).toEqual({
      kind: 'password',
      username: 'get-r.example',
      password: 's',
      source: 'the answer of docker-credential-vault',
    });
  });

  it('named for the registry stands before the one for all', async () => {
    installHelper('one', `echo '{"Username":"<token>","Secret":"t"}'`);
    installHelper('all', 'exit 1');
    configure({ credHelpers: { 'r.example': 'one' }, credsStore: 'all' });
    expect(await find('r.example')).toMatchObject({ kind: 'refresh-token', token: 't' });
  });

  it('may have nothing stored', async () => {
    installHelper('none', 'echo "credentials not found in native keychain"; exit 1');
    configure({ credsStore: 'none' });
    expect(await find('r.example')).toBeUndefined();
  });

  test.each([
    ['fails', 'broken', 'echo hunter2; echo hunter2 >&2; exit 3'],
    ['prints no JSON', 'broken', 'echo hunter2'],
    ['prints something else', 'broken', `echo '{"Secret":"hunter2"}'`],
    ['prints without end', 'broken', 'exec yes hunter2'],
    ['is missing', 'absent', ''],
    ['has a path for a name', '../../bin/evil', ''],
    ['has an option for a name', '-x', ''],
  ])('that %s is named, without what it printed', async (_name, helper, script) => {
    installHelper('broken', script);
    configure({ credsStore: helper });
    const failure = await find('r.example').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'REGISTRY_CREDENTIALS_UNREADABLE', hint: expect.any(String) });
    expect(`${failure}${JSON.stringify(failure)}`).not.toContain('hunter2');
  });
});
