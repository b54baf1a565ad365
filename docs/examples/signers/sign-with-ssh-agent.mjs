#!/usr/bin/env node
// Signs standard input with an Ed25519 key that ssh-agent holds, and prints 64 bytes of signature.
//   vespid sign … --sign-command "sign-with-ssh-agent.mjs $HOME/.ssh/release.pub" --public-key release.pub
// `ssh-keygen -e -m PKCS8 -f ~/.ssh/release.pub` prints no Ed25519 key; this does: sign-with-ssh-agent.mjs KEY --pem
// The protocol is that of draft-ietf-sshm-ssh-agent; the agent signs the very bytes that it gets.
import { readFileSync, writeSync } from 'node:fs';
import { connect } from 'node:net';

const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
const ED25519_KEY_BYTES = 32;
const SPKI_PREFIX = '302a300506032b6570032100';

const [publicKeyFile, pem] = process.argv.slice(2);
const [type, blob] = readFileSync(publicKeyFile, 'utf8').split(' ');
if (type !== 'ssh-ed25519') throw new Error(`expected an ssh-ed25519 key in ${publicKeyFile}, found ${type}`);
const publicKey = Buffer.from(blob, 'base64');

/** RFC 4251 section 5, `string`: its length in four bytes, then its bytes. */
function sshString(bytes) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The strings of a buffer, one after the other. */
function* sshStrings(bytes) {
  for (let offset = 0; offset < bytes.length; ) {
    const end = offset + 4 + bytes.readUInt32BE(offset);
    yield bytes.subarray(offset + 4, end);
    offset = end;
  }
}

/** Sends one message to the agent and gives its answer, without the length before it. */
async function askAgent(message) {
  const agent = connect(process.env.SSH_AUTH_SOCK ?? '');
  agent.write(sshString(message));
  let answer = Buffer.alloc(0);
  for await (const chunk of agent) {
    answer = Buffer.concat([answer, chunk]);
    if (answer.length >= 4 && answer.length >= 4 + answer.readUInt32BE()) break;
  }
  return answer.subarray(4);
}

if (pem === '--pem') {
  const spki = Buffer.concat([Buffer.from(SPKI_PREFIX, 'hex'), publicKey.subarray(-ED25519_KEY_BYTES)]);
  writeSync(1, `-----BEGIN PUBLIC KEY-----\n${spki.toString('base64')}\n-----END PUBLIC KEY-----\n`);
} else {
  const flags = Buffer.alloc(4);
  const request = [Buffer.of(SIGN_REQUEST), sshString(publicKey), sshString(readFileSync(0)), flags];
  const answer = await askAgent(Buffer.concat(request));
  if (answer[0] !== SIGN_RESPONSE)
    throw new Error('ssh-agent refused to sign: see `ssh-add -l` for its keys');
  const [signature] = sshStrings(answer.subarray(1));
  const [, bytes] = sshStrings(signature);
  writeSync(1, bytes);
}
