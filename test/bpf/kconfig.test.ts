import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeKconfigNumber, writeKconfigText } from '../../engine/bpf/externs/kconfig-values.js';
import { parseKernelConfig } from '../../engine/bpf/externs/kernel-config.js';
import { versionCode } from '../../engine/bpf/externs/kernel-version.js';
import type { KconfigExtern } from '../../engine/bytecode/index.js';
import { thrownBy } from '../policies/policy-text.js';

const extern = (value: KconfigExtern['value'], byteSize: number, isSigned = false): KconfigExtern => ({
  kind: 'kconfig',
  name: 'CONFIG_X',
  isWeak: false,
  typeId: 1,
  byteOffset: 2,
  byteSize,
  value,
  isSigned,
});

/** The bytes of the value, in a section with others around it. */
function written(of: KconfigExtern, text: string): number[] {
  const data = new Uint8Array(of.byteSize + 4).fill(0xee);
  writeKconfigText(data, of, text);
  expect([...data.subarray(0, 2), ...data.subarray(-2)]).toEqual([0xee, 0xee, 0xee, 0xee]);
  return [...data.subarray(2, -2)];
}

describe('a value of the configuration', () => {
  test.each([
    { text: 'y', as: extern('bool', 1), bytes: [1] },
    { text: 'n', as: extern('bool', 1), bytes: [0] },
    { text: 'm', as: extern('tristate', 4), bytes: [2, 0xee, 0xee, 0xee] },
    { text: 'm', as: extern('char', 1), bytes: [0x6d] },
    { text: '250', as: extern('integer', 4), bytes: [250, 0, 0, 0] },
    { text: '0xff', as: extern('integer', 2), bytes: [0xff, 0] },
    { text: '-2', as: extern('integer', 2, true), bytes: [0xfe, 0xff] },
    { text: '"abc"', as: extern('string', 6), bytes: [0x61, 0x62, 0x63, 0, 0, 0] },
    { text: '"abcdef"', as: extern('string', 4), bytes: [0x61, 0x62, 0x63, 0] },
  ])('$text is a $as.value of $as.byteSize bytes', ({ text, as, bytes }) => {
    expect(written(as, text)).toEqual(bytes);
  });

  test.each([
    { text: 'm', as: extern('bool', 1) },
    { text: '1', as: extern('bool', 1) },
    { text: '256', as: extern('integer', 1) },
    { text: '128', as: extern('integer', 1, true) },
    { text: '"text"', as: extern('integer', 4) },
    { text: 'y', as: extern('string', 4) },
    { text: '"open', as: extern('string', 9) },
    { text: 'eight', as: extern('integer', 4) },
  ])('$text does not fit a $as.value of $as.byteSize bytes', ({ text, as }) => {
    expect(thrownBy(() => written(as, text)).code).toBe('EXTERN_MISMATCH');
  });

  test('holds every number of its width', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 4, 8),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (byteSize, number) => {
          const value = BigInt.asUintN(byteSize * 8, number);
          const data = new Uint8Array(byteSize + 2);
          writeKconfigNumber(data, extern('integer', byteSize), value);
          const read = data.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) >> 16n;
          expect(read).toBe(value);
        },
      ),
    );
  });
});

test('a configuration file is its first assignment of each option', () => {
  const text = '# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C="a=b"\nCONFIG_B=n\nOTHER=1\n';
  expect([...parseKernelConfig(text)]).toEqual([
    ['CONFIG_B', 'y'],
    ['CONFIG_C', '"a=b"'],
  ]);
});

describe('LINUX_KERNEL_VERSION', () => {
  const names = { release: '6.18.44', version: '#1 SMP', ubuntuSignature: '' };
  test.each([
    { of: 'mainline', from: names, code: 0x06122c },
    { of: 'a release candidate', from: { ...names, release: '6.19-rc1' }, code: 0x061300 },
    {
      of: 'Debian',
      from: { ...names, release: '6.1.0-28-amd64', version: '#1 SMP Debian 6.1.119-1 (2024)' },
      code: 0x060177,
    },
    {
      of: 'Ubuntu',
      from: { ...names, release: '5.15.0-25', ubuntuSignature: 'Ubuntu 5.15.0-25.25-generic 5.15.30\n' },
      code: 0x050f1e,
    },
    { of: 'a patch level over a byte', from: { ...names, release: '4.9.300' }, code: 0x0409ff },
  ])('of $of', ({ from, code }) => {
    expect(versionCode(from)).toBe(code);
  });
});
