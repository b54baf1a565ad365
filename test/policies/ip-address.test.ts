import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIpAddress, type IpAddress, parseIpAddress } from '../../policies/language/index.js';
import { maskBytes } from '../../policies/language/ip-address.js';

const byte = fc.integer({ min: 0, max: 255 });
const sparseByte = fc.oneof(fc.constant(0), byte);

describe('IP addresses', () => {
  it.each([
    ['10.0.0.7', '10.0.0.7'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::ffff:0102:0304', '::ffff:1.2.3.4'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['1:2:3:4:5:6:7.8.9.10', '1:2:3:4:5:6:708:90a'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ])('%s is written %s (RFC 5952)', (text, canonical) => {
    const address = parseIpAddress(text);
    expect(address && formatIpAddress(address)).toBe(canonical);
  });

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4 ',
    '0x1.2.3.4',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    '::1.2.3',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:8::',
    'fe80::1%eth0',
    '1:2:3:4:5:6:7:1.2.3.4',
    ':1:2:3:4:5:6:7',
    '10.0.0.0/8',
  ])('%j is none', (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  it('survive being written and read', () => {
    const ipv4 = fc
      .array(byte, { minLength: 4, maxLength: 4 })
      .map((bytes): IpAddress => ({ family: 'ipv4', bytes }));
    const ipv6 = fc
      .array(sparseByte, { minLength: 16, maxLength: 16 })
      .map((bytes): IpAddress => ({ family: 'ipv6', bytes }));
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (address) => {
        expect(parseIpAddress(formatIpAddress(address))).toEqual(address);
      }),
    );
  });

  it('are told apart from other texts as Node tells them', () => {
    const text = fc.array(fc.constantFrom(':', '::', '.', '0', '1', 'ff', '255', '256', 'a:', '1.'), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(text, (parts) => {
        const joined = parts.join('');
        expect(parseIpAddress(joined) !== undefined).toBe(isIPv4(joined) || isIPv6(joined));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    [0, [0, 0]],
    [1, [0x80, 0]],
    [8, [0xff, 0]],
    [11, [0xff, 0xe0]],
    [16, [0xff, 0xff]],
  ])('are masked to %i bits', (prefixLength, expected) => {
    expect(maskBytes([0xff, 0xff], prefixLength)).toEqual(expected);
  });
});
