import { describe, expect, test } from 'vitest';
import { editText, findBlob, readdress, resign, textOf } from '../forged-bundle.js';
import {
  addKey,
  CI_KEY,
  expectRejection,
  RELEASE_KEY,
  SAMPLE_BUNDLE,
  SAMPLE_INPUT,
  SAMPLE_PREDICATE,
  sha256,
  signBundle,
  utf8,
  verify,
} from '../sample-bundle.js';

const sign = (version: string) => signBundle({ ...SAMPLE_INPUT, version }, SAMPLE_PREDICATE, CI_KEY);
const configPath = (files: ReadonlyMap<string, Uint8Array>) => findBlob(files, '"kind":"Bundle"');

/** A changed config under a signature by the CI key that fits it in every digest. */
function resignedConfig(edit: (text: string) => string) {
  const edited = editText(SAMPLE_BUNDLE, configPath(SAMPLE_BUNDLE), edit);
  const manifest = (files: ReadonlyMap<string, Uint8Array>) =>
    sha256(files.get(findBlob(files, '"artifactType":"application/vnd.vespid.bundle.v1"')) ?? utf8(''));
  return resign(edited, CI_KEY, (text) => text.replace(manifest(SAMPLE_BUNDLE), manifest(edited)));
}

describe('the version of a bundle', () => {
  test.each(['0.0.0', '1.4.0', '2.0.0-rc.1', '1.0.0-alpha.0valid', '1.0.0+build.7', '1.0.0-a+b-c.d'])(
    '%s is signed and read',
    async (version) => {
      expect((await verify(await sign(version))).version).toBe(version);
    },
  );

  test.each([
    '',
    '1',
    '1.4',
    'v1.4.0',
    '=1.4.0',
    ' 1.4.0',
    '1.4.0 ',
    '1.04.0',
    '1.4.0-01',
    '1.4.0-',
    '1.4.0+',
    '1.4.0+a+b',
    '1.4.0.0',
    'latest',
    '99999999999999999.0.0',
    `1.0.0-${'a'.repeat(300)}`,
  ])('%j is refused by signer and verifier', async (version) => {
    await expectRejection('SIGN_VERSION_INVALID', () => sign(version));
    const files = resignedConfig((text) => text.replace(/\}$/, `,"version":${JSON.stringify(version)}}`));
    await expectRejection('BUNDLE_VERSION_INVALID', () => verify(files));
  });

  test('is part of what is signed', async () => {
    const files = await sign('1.4.0');
    const older = editText(files, configPath(files), (text) => text.replace('1.4.0', '1.3.0'));
    await expectRejection('BUNDLE_SUBJECT_MISMATCH', () => verify(older));
    expect(await sign('1.4.1')).not.toEqual(files);
  });
});

describe("bpfman's labels", () => {
  test('say name and type of every program and map', () => {
    const { config } = JSON.parse(textOf(SAMPLE_BUNDLE, configPath(SAMPLE_BUNDLE)));
    expect(JSON.parse(config.Labels['io.ebpf.programs'])).toEqual({
      connect4: 'lsm',
      connect6: 'lsm',
      file_open: 'lsm',
    });
    expect(JSON.parse(config.Labels['io.ebpf.maps'])).toEqual({ events: 'ringbuf' });
  });

  test.each<{ name: string; edit: (text: string) => string }>([
    {
      name: 'another type',
      edit: (text) => text.replace('\\"connect4\\":\\"lsm\\"', '\\"connect4\\":\\"xdp\\"'),
    },
    { name: 'another program', edit: (text) => text.replace('connect4', 'connect5') },
    { name: 'another map', edit: (text) => text.replace('\\"events\\"', '\\"event\\"') },
    { name: 'another spelling', edit: (text) => text.replace('{\\"events', '{ \\"events') },
  ])('are refused with $name', async ({ edit }) => {
    await expectRejection('BUNDLE_LABELS_MISMATCH', () => verify(resignedConfig(edit)));
    await expectRejection('BUNDLE_LABELS_MISMATCH', () => addKey(resignedConfig(edit), RELEASE_KEY));
  });

  test.each<{ name: string; edit: (text: string) => string }>([
    { name: 'without them', edit: (text) => text.replace(/"config":\{.*?\}\},"kind"/, '"kind"') },
    { name: 'with a third one', edit: (text) => text.replace('"Labels":{', '"Labels":{"a":"b",') },
    { name: 'with another member', edit: (text) => text.replace('"config":{', '"config":{"Env":[],') },
  ])('a config $name is refused', async ({ edit }) => {
    await expectRejection('BUNDLE_DOCUMENT_INVALID', () => verify(resignedConfig(edit)));
  });
});

test('a config that is a layer, too, is refused', async () => {
  const manifest = findBlob(SAMPLE_BUNDLE, '"artifactType":"application/vnd.vespid.bundle.v1"');
  const bytes = SAMPLE_BUNDLE.get(configPath(SAMPLE_BUNDLE)) ?? utf8('');
  const text = textOf(SAMPLE_BUNDLE, manifest).replace(
    /"digest":"sha256:[0-9a-f]{64}"(,"mediaType":"application\/vnd.vespid.policy.v1\+yaml","size":)\d+/,
    `"digest":"sha256:${sha256(bytes)}"$1${bytes.length}`,
  );
  const files = readdress(SAMPLE_BUNDLE, manifest, utf8(text));
  await expectRejection('BUNDLE_BLOB_SHARED', () => verify(files));
});
