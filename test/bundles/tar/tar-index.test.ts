import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeTarHeader, encodeTarHeader, TAR_BLOCK_BYTES } from '../../../engine/bundles/tar/tar-header.js';
import { indexTar } from '../../../engine/bundles/tar/tar-index.js';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { BUNDLE_LIMITS, type BundleFiles } from '../../../signing/index.js';
import { expectRejection, rejectionOf, SAMPLE_BUNDLE, sha256, utf8 } from '../../signing/sample-bundle.js';
import { encodeTar } from './encode-tar.js';
import { memoryTar, type RawEntry, rawTar } from './memory-tar.js';

const BLOB = `blobs/sha256/${'0'.repeat(64)}`;
const TAR = Buffer.concat([...encodeTar(SAMPLE_BUNDLE)]);
const index = (bytes: Uint8Array) => indexTar(memoryTar(bytes), 'b.tar');

/** What stands in a tar file at the extents of its index. */
async function unpack(bytes: Uint8Array): Promise<BundleFiles> {
  const files = [...(await index(bytes))].map(([path, { byteOffset, byteSize }]) => {
    return [path, Uint8Array.from(bytes.subarray(byteOffset, byteOffset + byteSize))] as const;
  });
  return new Map(files);
}

describe('a tar file', () => {
  test('gives back what was written, and is the same for the same files in any order', async () => {
    expect(await unpack(TAR)).toEqual(SAMPLE_BUNDLE);
    expect(Buffer.concat([...encodeTar(new Map([...SAMPLE_BUNDLE].reverse()))])).toEqual(TAR);
  });

  test('gives back whatever is written', async () => {
    const bytes = fc.uint8Array({ maxLength: 1500 });
    const files = fc.array(bytes, { maxLength: 8 }).map((blobs) => {
      const named = blobs.map((blob) => [`blobs/sha256/${sha256(blob)}`, blob] as const);
      return new Map([['index.json', utf8('{}')], ...named]);
    });
    await fc.assert(
      fc.asyncProperty(files, async (written) => {
        const tar = Buffer.concat([...encodeTar(written)]);
        expect(tar.length % TAR_BLOCK_BYTES).toBe(0);
        expect(await unpack(tar)).toEqual(written);
      }),
      { numRuns: 100 },
    );
  });

  test('a header gives back whatever is written', () => {
    const path = fc.stringMatching(/^[!-~]{1,100}$/);
    fc.assert(
      fc.property(path, fc.boolean(), fc.nat({ max: 8 ** 11 - 1 }), (path, isFile, byteSize) => {
        const header = isFile
          ? ({ path, kind: 'file', byteSize } as const)
          : ({ path, kind: 'directory', byteSize: 0 } as const);
        expect(decodeTarHeader(encodeTarHeader(header))).toEqual(header);
      }),
    );
  });

  test.each<{ name: string; entries: readonly RawEntry[] }>([
    {
      name: 'directories, as tar writes them',
      entries: ['./', './blobs/', './blobs/sha256/'].map((path) => ({ path, kind: 'directory' as const })),
    },
    { name: 'paths with ./ before them', entries: [{ path: `./${BLOB}`, bytes: utf8('x') }] },
    { name: 'a file from before the standard', entries: [{ path: BLOB, patch: [[156, '\0']] }] },
    {
      name: "another owner, mode and time, in GNU's base-256, too",
      entries: [
        {
          path: BLOB,
          patch: [
            [100, '0000755'],
            [108, '\x80\0\0\0\0\x0f\x42\x40'],
            [136, '14707154321'],
            [265, 'root'],
          ],
        },
      ],
    },
    { name: "GNU tar's magic", entries: [{ path: BLOB, patch: [[257, 'ustar  \0']] }] },
    { name: 'spaces that end numbers', entries: [{ path: BLOB, patch: [[124, '00000000000 ']] }] },
  ])('is read with $name', async ({ entries }) => {
    const tar = rawTar([{ path: 'index.json', bytes: utf8('{}') }, ...entries]);
    const files = entries.filter(({ kind }) => kind === undefined);
    expect((await index(tar)).size).toBe(1 + files.length);
  });

  test('is read with the zeros that fill a record of tar', async () => {
    expect(await unpack(Buffer.concat([TAR, Buffer.alloc(20 * TAR_BLOCK_BYTES)]))).toEqual(SAMPLE_BUNDLE);
  });
});

const INDEX: RawEntry = { path: 'index.json', bytes: utf8('{}') };
const typed = (flag: string, path = BLOB): RawEntry => ({ path, patch: [[156, flag]] });

describe('refused is a tar file', () => {
  test.each<{ name: string; entries: readonly RawEntry[]; code: ErrorCode }>([
    {
      name: 'a hard link',
      entries: [
        {
          path: BLOB,
          patch: [
            [156, '1'],
            [157, 'index.json'],
          ],
        },
      ],
      code: 'BUNDLE_FILE_NOT_REGULAR',
    },
    {
      name: 'a symlink',
      entries: [
        {
          path: BLOB,
          patch: [
            [156, '2'],
            [157, '/etc/shadow'],
          ],
        },
      ],
      code: 'BUNDLE_FILE_NOT_REGULAR',
    },
    { name: 'a character device', entries: [typed('3')], code: 'BUNDLE_FILE_NOT_REGULAR' },
    { name: 'a block device', entries: [typed('4')], code: 'BUNDLE_FILE_NOT_REGULAR' },
    { name: 'a pipe', entries: [typed('6')], code: 'BUNDLE_FILE_NOT_REGULAR' },
    { name: 'a contiguous file', entries: [typed('7')], code: 'BUNDLE_FILE_NOT_REGULAR' },
    { name: 'a pax record', entries: [typed('x', 'PaxHeaders/index.json')], code: 'BUNDLE_TAR_UNSUPPORTED' },
    {
      name: 'a global pax record',
      entries: [typed('g', 'pax_global_header')],
      code: 'BUNDLE_TAR_UNSUPPORTED',
    },
    { name: "GNU's long name", entries: [typed('L', '././@LongLink')], code: 'BUNDLE_TAR_UNSUPPORTED' },
    { name: "GNU's long link", entries: [typed('K', '././@LongLink')], code: 'BUNDLE_TAR_UNSUPPORTED' },
    { name: 'a sparse file', entries: [typed('S')], code: 'BUNDLE_TAR_UNSUPPORTED' },
    { name: 'an unknown type', entries: [typed('Z')], code: 'BUNDLE_TAR_UNSUPPORTED' },
    { name: 'an absolute path', entries: [{ path: '/etc/passwd' }], code: 'BUNDLE_FILE_UNEXPECTED' },
    { name: 'a path upwards', entries: [{ path: '../evil' }], code: 'BUNDLE_FILE_UNEXPECTED' },
    {
      name: 'a path upwards from blobs',
      entries: [{ path: 'blobs/sha256/../../evil' }],
      code: 'BUNDLE_FILE_UNEXPECTED',
    },
    { name: 'a path with ./ twice', entries: [{ path: `././${BLOB}` }], code: 'BUNDLE_FILE_UNEXPECTED' },
    {
      name: 'a path with a double slash',
      entries: [{ path: BLOB.replace('/', '//') }],
      code: 'BUNDLE_FILE_UNEXPECTED',
    },
    {
      name: 'a digest in capitals',
      entries: [{ path: `blobs/sha256/${'A'.repeat(64)}` }],
      code: 'BUNDLE_FILE_UNEXPECTED',
    },
    {
      name: 'a directory of another name',
      entries: [{ path: 'etc/', kind: 'directory' }],
      code: 'BUNDLE_FILE_UNEXPECTED',
    },
    {
      name: 'a directory upwards',
      entries: [{ path: '../', kind: 'directory' }],
      code: 'BUNDLE_FILE_UNEXPECTED',
    },
    {
      name: 'a directory for a blob',
      entries: [{ path: BLOB, kind: 'directory' }],
      code: 'BUNDLE_FILE_UNEXPECTED',
    },
    { name: 'another file', entries: [{ path: 'README.md' }], code: 'BUNDLE_FILE_UNEXPECTED' },
    { name: 'a file twice', entries: [INDEX], code: 'BUNDLE_FILE_DUPLICATE' },
    {
      name: 'a file under two spellings',
      entries: [{ ...INDEX, path: './index.json' }],
      code: 'BUNDLE_FILE_DUPLICATE',
    },
    {
      name: 'a directory twice',
      entries: [
        { path: 'blobs', kind: 'directory' },
        { path: './blobs/', kind: 'directory' },
      ],
      code: 'BUNDLE_FILE_DUPLICATE',
    },
    {
      name: 'a prefix of the path',
      entries: [{ path: BLOB, patch: [[345, '..']] }],
      code: 'BUNDLE_TAR_MALFORMED',
    },
    {
      name: 'bytes behind the name',
      entries: [{ path: 'oci-layout', patch: [[12, 'x']] }],
      code: 'BUNDLE_TAR_MALFORMED',
    },
    { name: 'no name', entries: [{ path: '' }], code: 'BUNDLE_TAR_MALFORMED' },
    {
      name: 'a file with the name of a link',
      entries: [{ path: BLOB, patch: [[157, 'x']] }],
      code: 'BUNDLE_TAR_MALFORMED',
    },
    {
      name: 'bytes at the end of a header',
      entries: [{ path: BLOB, patch: [[511, 'x']] }],
      code: 'BUNDLE_TAR_MALFORMED',
    },
    {
      name: 'a directory with a size',
      entries: [{ path: 'blobs', kind: 'directory', byteSize: 512 }],
      code: 'BUNDLE_TAR_MALFORMED',
    },
    {
      name: 'a size beyond the end',
      entries: [{ path: BLOB, byteSize: 4096 }],
      code: 'BUNDLE_TAR_MALFORMED',
    },
    {
      name: 'a file too large',
      entries: [{ path: BLOB, byteSize: BUNDLE_LIMITS.maxFileBytes + 1 }],
      code: 'BUNDLE_TOO_LARGE',
    },
    {
      name: 'the largest size there is',
      entries: [{ path: BLOB, byteSize: 8 ** 11 - 1 }],
      code: 'BUNDLE_TOO_LARGE',
    },
    {
      name: 'a size in base-256',
      entries: [{ path: BLOB, patch: [[124, '\x80\0\0\0\0\0\0\0\0\0\0\x01']] }],
      code: 'BUNDLE_TAR_MALFORMED',
    },
    {
      name: 'a negative size',
      entries: [{ path: BLOB, patch: [[124, '-0000000001\0']] }],
      code: 'BUNDLE_TAR_MALFORMED',
    },
    {
      name: 'a size that is no octal number',
      entries: [{ path: BLOB, patch: [[124, '00000000008\0']] }],
      code: 'BUNDLE_TAR_MALFORMED',
    },
    {
      name: 'a size without its end',
      entries: [{ path: BLOB, patch: [[124, '000000000000']] }],
      code: 'BUNDLE_TAR_MALFORMED',
    },
    {
      name: 'another magic',
      entries: [{ path: BLOB, patch: [[257, 'ustar\x0001']] }],
      code: 'BUNDLE_TAR_MALFORMED',
    },
    {
      name: 'too many files',
      entries: Array.from({ length: BUNDLE_LIMITS.maxFiles }, (_, at) => ({
        path: `blobs/sha256/${String(at).padStart(64, '0')}`,
      })),
      code: 'BUNDLE_TOO_LARGE',
    },
  ])('with $name', async ({ entries, code }) => {
    await expectRejection(code, () => index(rawTar([INDEX, ...entries])));
  });

  const one = rawTar([INDEX]);
  const patched = (offset: number, byte: number) => {
    const bytes = Buffer.from(one);
    bytes[offset] = byte;
    return bytes;
  };
  test.each<{ name: string; bytes: Uint8Array; code: ErrorCode }>([
    { name: 'nothing', bytes: new Uint8Array(), code: 'BUNDLE_NOT_A_BUNDLE' },
    { name: 'zeros', bytes: new Uint8Array(20 * 512), code: 'BUNDLE_NOT_A_BUNDLE' },
    {
      name: 'gzip',
      bytes: Buffer.concat([Uint8Array.of(0x1f, 0x8b), Buffer.alloc(600)]),
      code: 'BUNDLE_NOT_A_BUNDLE',
    },
    { name: 'a header whose checksum does not fit', bytes: patched(100, 0x31), code: 'BUNDLE_TAR_MALFORMED' },
    { name: 'a checksum that is no number', bytes: patched(148, 0x39), code: 'BUNDLE_TAR_MALFORMED' },
    { name: 'padding that is not zero', bytes: patched(1023, 1), code: 'BUNDLE_TAR_MALFORMED' },
    {
      name: 'a second block at the end that is not zero',
      bytes: patched(1536 + 7, 1),
      code: 'BUNDLE_TAR_MALFORMED',
    },
    { name: 'no end', bytes: one.subarray(0, 1024), code: 'BUNDLE_TAR_MALFORMED' },
    { name: 'one block of zeros as its end', bytes: one.subarray(0, 1536), code: 'BUNDLE_TAR_MALFORMED' },
    { name: 'half a block too few', bytes: one.subarray(0, one.length - 256), code: 'BUNDLE_TAR_MALFORMED' },
    {
      name: 'half a block too many',
      bytes: Buffer.concat([one, Buffer.alloc(256)]),
      code: 'BUNDLE_TAR_MALFORMED',
    },
    { name: 'its padding cut off', bytes: one.subarray(0, 900), code: 'BUNDLE_TAR_MALFORMED' },
    { name: 'a second archive behind it', bytes: Buffer.concat([one, one]), code: 'BUNDLE_TAR_MALFORMED' },
    {
      name: 'a byte far behind it',
      bytes: Buffer.concat([one, Buffer.alloc(200_000), Buffer.alloc(512, 1)]),
      code: 'BUNDLE_TAR_MALFORMED',
    },
  ])('that is $name', async ({ bytes, code }) => {
    await expectRejection(code, () => index(bytes));
  });

  test('of a size that no bundle has, before it is read', async () => {
    const tar = { ...memoryTar(one), byteSize: 2 ** 40 };
    await expectRejection('BUNDLE_TOO_LARGE', () => indexTar(tar, 'b.tar'));
  });

  test('with any byte changed: a documented refusal, or a file that its digest refuses', async () => {
    const codes = new Set<ErrorCode>([
      ...([
        'BUNDLE_NOT_A_BUNDLE',
        'BUNDLE_TAR_MALFORMED',
        'BUNDLE_TAR_UNSUPPORTED',
        'BUNDLE_TOO_LARGE',
      ] as const),
      ...(['BUNDLE_FILE_NOT_REGULAR', 'BUNDLE_FILE_UNEXPECTED', 'BUNDLE_FILE_DUPLICATE'] as const),
    ]);
    const small = rawTar([INDEX, { path: BLOB, bytes: utf8('x'.repeat(600)) }]);
    for (let offset = 0; offset < small.length; offset++) {
      const bytes = Buffer.from(small);
      bytes[offset] = (bytes[offset] ?? 0) ^ 0x01;
      const isContent = (offset >= 512 && offset < 514) || (offset >= 1536 && offset < 2136);
      if (isContent) expect((await index(bytes)).size).toBe(2);
      else expect(codes, `byte ${offset}`).toContain((await rejectionOf(() => index(bytes))).code);
    }
  });
});
