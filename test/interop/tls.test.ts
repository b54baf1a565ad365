import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAIN } from '../cli/run-vespid.js';
import { DockerRegistry } from './docker-registry.js';
import { SignedBundle } from './signed-bundle.js';

const NAME = 'registry.test';

let made: SignedBundle;
let registry: DockerRegistry;

beforeEach(async () => {
  made = await SignedBundle.create();
  const subject = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`, '-days', '2', '-nodes'];
  const files = ['-newkey', 'rsa:2048', '-keyout', made.path('tls.key'), '-out', made.path('tls.crt')];
  execFileSync('openssl', ['req', '-x509', ...files, ...subject], { stdio: 'ignore' });
  registry = await DockerRegistry.start({
    tls: { keyFile: made.path('tls.key'), certificateFile: made.path('tls.crt') },
  });
  // The name is resolved to the loopback address in the child alone: loopback hosts are spoken to in plain http.
  writeFileSync(
    made.path('resolve.mjs'),
    `import dns from 'node:dns';
const lookup = dns.lookup;
dns.lookup = (name, ...rest) => lookup(name === '${NAME}' ? '127.0.0.1' : name, ...rest);
`,
  );
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  made[Symbol.dispose]();
});

async function push(environment: Readonly<Record<string, string>>, ...options: string[]): Promise<unknown> {
  const reference = `${NAME}:${registry.port}/team/sensors:1`;
  const args = [
    '--import',
    made.path('resolve.mjs'),
    MAIN,
    'push',
    made.bundle,
    reference,
    '--json',
    ...options,
  ];
  const env = { ...process.env, DOCKER_CONFIG: made.directory, ...environment };
  const run = promisify(execFile)(process.execPath, args, { env });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return JSON.parse(stdout);
}

describe('a registry with a certificate of its own authority', () => {
  it('is spoken to when Node trusts that authority', async () => {
    expect(await push({ NODE_EXTRA_CA_CERTS: made.path('tls.crt') })).toMatchObject({
      ok: true,
      movedTag: true,
    });
  });

  it('is not spoken to otherwise, and the error says how', async () => {
    expect(await push({})).toMatchObject({
      ok: false,
      error: { code: 'REGISTRY_UNREACHABLE', hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') },
    });
    expect(registry.log).not.toContain('/v2/team');
  });

  it('is not spoken to in plain http, even on demand', async () => {
    expect(await push({}, '--plain-http')).toMatchObject({ ok: false, error: { code: 'REGISTRY_REFUSED' } });
  });
});
