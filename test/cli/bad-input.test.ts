import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compilePolicies } from '../../engine/compiler/index.js';
import type { ErrorCode } from '../../engine/errors/index.js';
import { parsePolicies } from '../../policies/language/index.js';
import { policyText, runVespid, trustPolicyText, Workspace } from './run-vespid.js';

const workspace = new Workspace();
const at = (name: string) => workspace.path(name);
const object = () =>
  compilePolicies(parsePolicies(policyText(), 'sample.yaml'))[0]?.bytes ?? new Uint8Array();

/** Files to stumble over, by name. */
function writeFixtures(): void {
  const write = (name: string, content: string | Uint8Array) => writeFileSync(at(name), content);
  mkdirSync(at('empty-directory'));
  mkdirSync(at('occupied'));
  write('occupied/note.txt', 'not a bundle');
  write('good.yaml', policyText());
  write('twin.yaml', policyText());
  mkdirSync(at('other'));
  write('other/good.yaml', policyText({ name: 'other' }));
  write('empty.yaml', '');
  write('malformed.yaml', 'apiVersion: [');
  write('unknown-hook.yaml', policyText({ hook: 'file.opn' }));
  write('unknown-field.yaml', policyText({ when: 'file.pth == "/x"' }));
  write('wrong-type.yaml', policyText({ when: 'file.path == 3' }));
  write('latin1.yaml', Uint8Array.of(...new TextEncoder().encode('# caf'), 0xe9, 0x0a));
  write('file.open.bpf.o', object());
  write('truncated.bpf.o', object().subarray(0, 100));
  write('not-a-key.key', 'hello');
  write('passphrase', 'correct horse\n');
  write('short-passphrase', 'short\n');
  write('key.der', Uint8Array.of(0x30, 0x2e, 0xff, 0xfe));
  write('trust.yaml', trustPolicyText('ci.pub'));
  write('trust-stranger.yaml', trustPolicyText('stranger.pub'));
  write('trust-expired.yaml', `${trustPolicyText('ci.pub')}    validUntil: 2020-01-01T00:00:00Z\n`);
  write('trust-no-key.yaml', trustPolicyText('missing.pub'));
  write('trust-bad-key.yaml', trustPolicyText('not-a-key.key'));
  write('trust-private.yaml', trustPolicyText('ci.key'));
  write('trust-malformed.yaml', 'threshold: [');
  write('trust-unknown-field.yaml', `${trustPolicyText('ci.pub')}trusted: everyone\n`);
  write('trust-threshold.yaml', trustPolicyText('ci.pub').replace('threshold: 1', 'threshold: 2'));
}

beforeAll(async () => {
  await runVespid('keygen', '--out', at('ci'));
  await runVespid('keygen', '--out', at('stranger'));
  spawnSync('openssl', ['genpkey', '-algorithm', 'RSA', '-out', at('rsa.key')]);
  writeFixtures();
  const passphrase = ['--encrypt', '--passphrase-file', at('passphrase')];
  await runVespid('keygen', '--out', at('secret'), ...passphrase);
  await runVespid('sign', at('good.yaml'), '--key', at('ci.key'), '--out', at('good.bundle'));
});

afterAll(() => workspace[Symbol.dispose]());

interface Row {
  readonly what: string;
  /** Words of the command line; one that starts with `@` is the path of a fixture. */
  readonly line: string;
  readonly exit: 1 | 2 | 3 | 4;
  readonly code: ErrorCode;
}

const rows: readonly Row[] = [
  // The command line
  { what: 'an unknown command', line: 'veryfy', exit: 2, code: 'USAGE' },
  { what: 'an unknown option', line: 'inspect @good.bundle --frob', exit: 2, code: 'USAGE' },
  { what: 'a missing argument', line: 'compile --out @out', exit: 2, code: 'USAGE' },
  { what: 'a missing option', line: 'verify @good.bundle', exit: 2, code: 'USAGE' },
  { what: 'too many arguments', line: 'inspect @good.bundle @good.bundle', exit: 2, code: 'USAGE' },
  { what: 'a value that is no choice', line: 'completion tcsh', exit: 2, code: 'USAGE' },

  // keygen
  { what: 'a key without a name', line: 'keygen --out @other/', exit: 2, code: 'USAGE' },
  {
    what: 'a key in a missing directory',
    line: 'keygen --out @missing/ci',
    exit: 2,
    code: 'INPUT_NOT_FOUND',
  },
  { what: 'a key below a file', line: 'keygen --out @good.yaml/ci', exit: 2, code: 'INPUT_WRONG_KIND' },
  { what: 'a key that exists', line: 'keygen --out @ci', exit: 2, code: 'OUTPUT_EXISTS' },
  {
    what: 'a passphrase for a key that is not encrypted',
    line: 'keygen --out @n --passphrase-file @passphrase',
    exit: 2,
    code: 'USAGE',
  },
  {
    what: 'a short passphrase',
    line: 'keygen --out @n --encrypt --passphrase-file @short-passphrase',
    exit: 2,
    code: 'KEY_PASSPHRASE_INVALID',
  },
  {
    what: 'a passphrase variable that is not set',
    line: 'keygen --out @n --encrypt --passphrase-env VESPID_NOT_SET',
    exit: 2,
    code: 'SIGNER_VARIABLE_MISSING',
  },
  {
    what: 'a missing passphrase file',
    line: 'sign @good.yaml --key @secret.key --passphrase-file @missing --out @b',
    exit: 2,
    code: 'INPUT_NOT_FOUND',
  },
  {
    what: 'a wrong passphrase',
    line: 'sign @good.yaml --key @secret.key --passphrase-file @short-passphrase --out @b',
    exit: 1,
    code: 'KEY_PASSPHRASE_WRONG',
  },

  // Policies
  { what: 'a missing policy', line: 'compile @missing.yaml --out @out', exit: 2, code: 'INPUT_NOT_FOUND' },
  {
    what: 'a directory without policies',
    line: 'compile @empty-directory --out @out',
    exit: 2,
    code: 'INPUT_NOT_FOUND',
  },
  {
    what: 'an object to compile',
    line: 'compile @file.open.bpf.o --out @out',
    exit: 2,
    code: 'INPUT_WRONG_KIND',
  },
  {
    what: 'a policy that is no text',
    line: 'compile @latin1.yaml --out @out',
    exit: 1,
    code: 'INPUT_NOT_TEXT',
  },
  { what: 'an input without end', line: 'compile /dev/zero --out @out', exit: 1, code: 'INPUT_TOO_LARGE' },
  { what: 'an empty policy file', line: 'compile @empty.yaml --out @out', exit: 1, code: 'POLICY_SCHEMA' },
  { what: 'malformed YAML', line: 'compile @malformed.yaml --out @out', exit: 1, code: 'POLICY_YAML_SYNTAX' },
  {
    what: 'an unknown hook',
    line: 'compile @unknown-hook.yaml --out @out',
    exit: 1,
    code: 'POLICY_UNKNOWN_HOOK',
  },
  {
    what: 'an unknown field',
    line: 'compile @unknown-field.yaml --out @out',
    exit: 1,
    code: 'POLICY_UNKNOWN_FIELD',
  },
  { what: 'a CEL type error', line: 'compile @wrong-type.yaml --out @out', exit: 1, code: 'POLICY_CEL_TYPE' },
  {
    what: 'one policy name in two files',
    line: 'compile @good.yaml @twin.yaml --out @out',
    exit: 1,
    code: 'POLICY_DUPLICATE_NAME',
  },
  {
    what: 'a file for a directory',
    line: 'compile @good.yaml --out @empty.yaml',
    exit: 2,
    code: 'INPUT_WRONG_KIND',
  },

  // Objects and bundles to sign
  {
    what: 'a truncated object',
    line: 'sign @truncated.bpf.o --key @ci.key --out @b',
    exit: 1,
    code: 'BYTES_OUT_OF_RANGE',
  },
  {
    what: 'a program of another machine',
    line: 'sign /bin/true --key @ci.key --out @b',
    exit: 1,
    code: 'ELF_UNSUPPORTED',
  },
  {
    what: 'two files of one name',
    line: 'sign @good.yaml @other/good.yaml --key @ci.key --out @b',
    exit: 2,
    code: 'SIGN_NAME_DUPLICATE',
  },
  {
    what: 'a policy and the object compiled from it',
    line: 'sign @good.yaml @file.open.bpf.o --key @ci.key --out @b',
    exit: 2,
    code: 'SIGN_NAME_DUPLICATE',
  },
  {
    what: 'a bundle name that is not allowed',
    line: 'sign @good.yaml --key @ci.key --out @b --name ../b',
    exit: 2,
    code: 'SIGN_NAME_INVALID',
  },
  {
    what: 'an output with other files',
    line: 'sign @good.yaml --key @ci.key --out @occupied',
    exit: 2,
    code: 'BUNDLE_OUTPUT_OCCUPIED',
  },
  {
    what: 'an output in a missing directory',
    line: 'sign @good.yaml --key @ci.key --out @missing/b',
    exit: 2,
    code: 'INPUT_NOT_FOUND',
  },

  // Keys
  {
    what: 'a missing key',
    line: 'sign @good.yaml --key @missing.key --out @b',
    exit: 2,
    code: 'INPUT_NOT_FOUND',
  },
  {
    what: 'a directory for a key',
    line: 'sign @good.yaml --key @other --out @b',
    exit: 2,
    code: 'INPUT_WRONG_KIND',
  },
  {
    what: 'a key that cannot be read',
    line: 'sign @good.yaml --key /proc/self/mem --out @b',
    exit: 1,
    code: 'INPUT_UNREADABLE',
  },
  {
    what: 'a key that is none',
    line: 'sign @good.yaml --key @not-a-key.key --out @b',
    exit: 1,
    code: 'KEY_MALFORMED',
  },
  { what: 'a key in DER', line: 'sign @good.yaml --key @key.der --out @b', exit: 1, code: 'KEY_MALFORMED' },
  {
    what: 'a public key to sign',
    line: 'sign @good.yaml --key @ci.pub --out @b',
    exit: 1,
    code: 'KEY_NOT_PRIVATE',
  },
  {
    what: 'an RSA key',
    line: 'sign @good.yaml --key @rsa.key --out @b',
    exit: 1,
    code: 'KEY_ALGORITHM_UNSUPPORTED',
  },

  // Bundles
  { what: 'a missing bundle', line: 'verify @missing --trust @trust.yaml', exit: 2, code: 'INPUT_NOT_FOUND' },
  { what: 'a missing bundle to inspect', line: 'inspect @missing', exit: 2, code: 'INPUT_NOT_FOUND' },
  {
    what: 'a directory that is no bundle',
    line: 'verify @other --trust @trust.yaml',
    exit: 3,
    code: 'BUNDLE_NOT_A_BUNDLE',
  },
  { what: 'a file that is no bundle', line: 'inspect @good.yaml', exit: 3, code: 'BUNDLE_NOT_A_BUNDLE' },

  // Trust policies
  {
    what: 'a signer that is not trusted',
    line: 'verify @good.bundle --trust @trust-stranger.yaml',
    exit: 3,
    code: 'BUNDLE_SIGNER_UNKNOWN',
  },
  {
    what: 'a key past its time',
    line: 'verify @good.bundle --trust @trust-expired.yaml',
    exit: 3,
    code: 'BUNDLE_SIGNER_EXPIRED',
  },
  {
    what: 'a missing trust policy',
    line: 'verify @good.bundle --trust @missing',
    exit: 2,
    code: 'INPUT_NOT_FOUND',
  },
  {
    what: 'a directory for a trust policy',
    line: 'verify @good.bundle --trust @other',
    exit: 2,
    code: 'INPUT_WRONG_KIND',
  },
  {
    what: 'a malformed trust policy',
    line: 'verify @good.bundle --trust @trust-malformed.yaml',
    exit: 1,
    code: 'TRUST_POLICY_MALFORMED',
  },
  {
    what: 'an unknown field of a trust policy',
    line: 'verify @good.bundle --trust @trust-unknown-field.yaml',
    exit: 1,
    code: 'TRUST_POLICY_INVALID',
  },
  {
    what: 'a threshold above the keys',
    line: 'verify @good.bundle --trust @trust-threshold.yaml',
    exit: 1,
    code: 'TRUST_POLICY_THRESHOLD_UNREACHABLE',
  },
  {
    what: 'a trusted key that is missing',
    line: 'verify @good.bundle --trust @trust-no-key.yaml',
    exit: 1,
    code: 'TRUST_POLICY_KEY_UNREADABLE',
  },
  {
    what: 'a trusted key that is none',
    line: 'verify @good.bundle --trust @trust-bad-key.yaml',
    exit: 1,
    code: 'KEY_MALFORMED',
  },
  {
    what: 'a private key in a trust policy',
    line: 'verify @good.bundle --trust @trust-private.yaml',
    exit: 1,
    code: 'KEY_NOT_PUBLIC',
  },
];

const STACK_TRACE = /^\s+at .*:\d+:\d+\)?$/m;

describe('bad input', () => {
  it.each(rows)('$what gives $code', async ({ line, exit, code }) => {
    const args = line.split(' ').map((word) => (word.startsWith('@') ? at(word.slice(1)) : word));

    const forPeople = await runVespid(...args);
    expect(forPeople).toMatchObject({ exitCode: exit, stdout: '' });
    expect(forPeople.stderr).toMatch(new RegExp(`^(\\S+:\\d+:\\d+: )?${code}: `));
    expect(forPeople.stderr).not.toMatch(STACK_TRACE);

    const forMachines = await runVespid(...args, '--json');
    expect(forMachines).toMatchObject({ exitCode: exit, stderr: '' });
    expect(JSON.parse(forMachines.stdout)).toMatchObject({ ok: false, error: { code } });
  });

  it.each([
    { what: 'the value of a variable instead of its name', args: (key: string) => ['--key-env', key] },
    { what: 'a key instead of its path', args: (key: string) => ['--key', key] },
    {
      what: 'a passphrase variable',
      args: (key: string) => ['--key', at('secret.key'), '--passphrase-env', key],
    },
    { what: 'a key among the policies', args: () => [at('ci.key'), '--key', at('ci.key')] },
  ])('does not quote a secret: $what', async ({ args }) => {
    const pem = readFileSync(at('ci.key'), 'utf8');
    const body = pem.split('\n')[1] ?? '';
    for (const key of [pem, body, Buffer.from(pem).toString('base64')]) {
      const command = ['sign', at('good.yaml'), ...args(key), '--out', at('never')];
      for (const line of [command, [...command, '--json'], [...command, '--verbose']]) {
        const { exitCode, stdout, stderr } = await runVespid(...line);
        expect(exitCode).toBeGreaterThan(0);
        // Where the seed begins.
        expect(stdout + stderr).not.toContain(body.slice(22, 30));
        expect(stdout + stderr).not.toContain(key.slice(0, 40));
      }
    }
  });

  it.each(['check', 'show'])(
    'does not quote a key in the place of a trust policy: trust %s',
    async (command) => {
      const pem = readFileSync(at('ci.key'), 'utf8');
      const body = pem.split('\n')[1] ?? '';
      for (const key of [pem, body, Buffer.from(pem).toString('base64')]) {
        writeFileSync(at('key-as-policy'), `\n${key}`);
        const { exitCode, stderr } = await runVespid('trust', command, at('key-as-policy'));
        expect(exitCode).toBe(2);
        expect(stderr).toContain('INPUT_WRONG_KIND: ');
        expect(stderr).not.toContain(key.trim().slice(-40, -30));
        expect(stderr).not.toContain(body.slice(22, 30));
      }
    },
  );

  it('points into the policy', async () => {
    const { stderr } = await runVespid('compile', at('wrong-type.yaml'), '--out', at('out'));
    expect(stderr).toContain(`${at('wrong-type.yaml')}:8:14: POLICY_CEL_TYPE: `);
    expect(stderr).toMatch(/^8 \| .*when: 'file\.path == 3'\n {2}\| +\^+$/m);
  });

  it('names where each of two files of one name comes from', async () => {
    const files = [at('good.yaml'), at('other/good.yaml')];
    const { stderr } = await runVespid('sign', ...files, '--key', at('ci.key'), '--out', at('b'));
    for (const file of files) expect(stderr).toContain(file);
  });

  it('leaves no half-made key pair', async () => {
    writeFileSync(at('half.pub'), 'here first');
    const { exitCode } = await runVespid('keygen', '--out', at('half'));
    expect(exitCode).toBe(2);
    expect(() => readFileSync(at('half.key'))).toThrow('ENOENT');
    expect(readFileSync(at('half.pub'), 'utf8')).toBe('here first');
  });
});
