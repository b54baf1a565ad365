import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { CommandSigner } from '../../engine/signers/index.js';
import { generateKeyPair, parsePublicKey } from '../../signing/index.js';
import { OpensslFolder } from './openssl.js';

const EXAMPLES = resolve(import.meta.dirname, '../../docs/examples/signers');
/** Longer than any pipe holds at once. */
const MESSAGE = new Uint8Array(200_000).fill(7);

test('openssl signs by the script of the documentation', async () => {
  using folder = new OpensslFolder();
  const { privateKeyPem, publicKeyPem } = generateKeyPair();
  const key = folder.write('release.key', privateKeyPem);
  const command = `'${EXAMPLES}/sign-with-openssl.sh' '${key}'`;
  // CommandSigner gives back only what verifies.
  const signer = new CommandSigner(command, parsePublicKey(publicKeyPem, 'release.pub'));
  expect(await signer.sign(MESSAGE)).toHaveLength(64);
});

test('ssh-agent signs by the script of the documentation', async () => {
  using folder = new OpensslFolder();
  const [key, socket] = [folder.path('release'), folder.path('agent')];
  const script = `'${EXAMPLES}/sign-with-ssh-agent.mjs' '${key}.pub'`;
  spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'release', '-f', key]);
  const agent = spawnSync('ssh-agent', ['-s', '-a', socket], { encoding: 'utf8' });
  const agentPid = Number(/SSH_AGENT_PID=([0-9]+)/.exec(agent.stdout)?.[1]);
  expect(agentPid, agent.stderr).toBeGreaterThan(0);
  try {
    const added = spawnSync('ssh-add', [key], {
      encoding: 'utf8',
      env: { ...process.env, SSH_AUTH_SOCK: socket },
    });
    expect(added.status, added.stderr).toBe(0);
    const pem = spawnSync('sh', ['-c', `${script} --pem`], { encoding: 'utf8' });
    const signer = new CommandSigner(
      `env SSH_AUTH_SOCK='${socket}' ${script}`,
      parsePublicKey(pem.stdout, 'release.pub'),
    );
    expect(await signer.sign(MESSAGE)).toHaveLength(64);
    expect(readFileSync(`${key}.pub`, 'utf8')).toMatch(/^ssh-ed25519 /);
  } finally {
    process.kill(agentPid);
  }
});
