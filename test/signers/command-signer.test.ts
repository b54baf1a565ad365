import { describe, expect, test } from 'vitest';
import { CommandSigner } from '../../engine/signers/index.js';
import { readSignatureOutput } from '../../engine/signers/signature-output.js';
import { CI_KEY, expectRefusal, RELEASE_KEY, utf8 } from '../signing/sample-bundle.js';
import { expectRejection, SampleSurroundings } from './sample-surroundings.js';

const MESSAGE = utf8('DSSEv1 …');
const SIGNATURE = CI_KEY.sign(MESSAGE);
const hex = Buffer.from(SIGNATURE).toString('hex');
const base64 = Buffer.from(SIGNATURE).toString('base64');

/** A signer whose command is a script of node, given as text. */
function scripted(surroundings: SampleSurroundings, script: string, timeoutMs = 20_000): CommandSigner {
  const path = surroundings.write('sign.mjs', script);
  return new CommandSigner(`'${process.execPath}' '${path}'`, CI_KEY.publicKey, timeoutMs);
}

describe('what a command prints', () => {
  test.each([
    { name: '64 bytes', output: SIGNATURE },
    { name: 'hexadecimal', output: utf8(hex) },
    { name: 'hexadecimal in capitals, with a line end', output: utf8(`${hex.toUpperCase()}\n`) },
    { name: 'base64', output: utf8(base64) },
    { name: 'base64 in lines', output: utf8(`${base64.slice(0, 64)}\r\n${base64.slice(64)}\n`) },
    { name: 'base64 without padding', output: utf8(base64.replaceAll('=', '')) },
  ])('is read as $name', ({ output }) => {
    expect(readSignatureOutput(output, 'sign')).toEqual(SIGNATURE);
  });

  test.each([
    { name: 'nothing', output: new Uint8Array() },
    { name: '65 bytes', output: Uint8Array.of(...SIGNATURE, 10) },
    { name: 'a message before it', output: utf8(`signature: ${hex}`) },
    { name: 'hexadecimal of 63 bytes', output: utf8(hex.slice(2)) },
    { name: 'base64 of 65 bytes', output: utf8(Buffer.alloc(65).toString('base64')) },
    { name: 'base64url', output: utf8('-_'.repeat(43)) },
  ])('is refused as $name', ({ output }) => {
    expectRefusal('SIGNER_OUTPUT_INVALID', () => readSignatureOutput(output, 'sign'));
  });
});

describe('CommandSigner', () => {
  test('gives the command the bytes to sign and takes its signature', async () => {
    using surroundings = new SampleSurroundings();
    const message = new Uint8Array(300_000).fill(7);
    const signer = scripted(
      surroundings,
      `import { createPrivateKey, sign } from 'node:crypto';
       const chunks = []; for await (const chunk of process.stdin) chunks.push(chunk);
       const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 1)]);
       const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
       process.stdout.write(sign(null, Buffer.concat(chunks), key));`,
    );
    expect(await signer.sign(message)).toEqual(CI_KEY.sign(message));
  });

  test.each([
    {
      name: 'an exit code',
      script: `process.stdout.write('${hex}'); process.exitCode = 7;`,
      code: 'SIGNER_COMMAND_FAILED',
      message: 'exit code 7',
    },
    {
      name: 'a signal',
      script: `process.kill(process.pid, 'SIGKILL');`,
      code: 'SIGNER_COMMAND_FAILED',
      message: 'SIGKILL',
    },
    { name: 'no output', script: '', code: 'SIGNER_OUTPUT_INVALID', message: '0 bytes' },
    {
      name: 'output without end',
      script: `process.stdout.on('error', () => process.exit()); setInterval(() => process.stdout.write('x'.repeat(4096)), 1);`,
      code: 'SIGNER_OUTPUT_INVALID',
      message: 'more than 1024 bytes',
    },
    {
      name: "another key's signature",
      script: `process.stdout.write('${Buffer.from(RELEASE_KEY.sign(MESSAGE)).toString('hex')}');`,
      code: 'SIGNER_KEY_MISMATCH',
      message: CI_KEY.keyId,
    },
    {
      name: 'a signature of other bytes',
      script: `process.stdout.write('${Buffer.from(CI_KEY.sign(utf8('other'))).toString('hex')}');`,
      code: 'SIGNER_KEY_MISMATCH',
      message: CI_KEY.keyId,
    },
  ] as const)('refuses $name', async ({ script, code, message }) => {
    using surroundings = new SampleSurroundings();
    const refusal = await expectRejection(code, scripted(surroundings, script).sign(MESSAGE));
    expect(refusal.message).toContain(message);
  });

  test('takes a signature from a command that does not read', async () => {
    using surroundings = new SampleSurroundings();
    const message = new Uint8Array(1_000_000);
    const signature = Buffer.from(CI_KEY.sign(message)).toString('base64');
    const signer = scripted(surroundings, `process.stdin.destroy(); console.log('${signature}');`);
    expect(await signer.sign(message)).toEqual(CI_KEY.sign(message));
  });

  test.each([
    { name: 'that waits', script: 'setInterval(() => {}, 1000);' },
    { name: 'that ignores SIGTERM', script: `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);` },
    {
      name: 'that leaves a process behind which holds its output',
      script: `import { spawn } from 'node:child_process';
        spawn(process.execPath, ['-e', 'setTimeout(() => {}, 8000)'], { stdio: 'inherit', detached: true }).unref();`,
    },
  ])('stops a command $name', { timeout: 15_000 }, async ({ script }) => {
    using surroundings = new SampleSurroundings();
    const signer = scripted(surroundings, script, 700);
    const refusal = await expectRejection('SIGNER_COMMAND_TIMEOUT', signer.sign(MESSAGE));
    expect(refusal.hint).toContain('--sign-timeout');
  });

  test('says that a program is not there', async () => {
    const signer = new CommandSigner('/nowhere/sign', CI_KEY.publicKey);
    await expectRejection('SIGNER_COMMAND_FAILED', signer.sign(MESSAGE));
  });
});
