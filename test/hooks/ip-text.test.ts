import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ipv4Text, ipv6Text } from '../../lsm-hooks/index.js';

describe('ipv6Text', () => {
  // RFC 5952 sections 4 and 5.
  it.each([
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['20010000000000010000000000000001', '2001:0:0:1::1'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['20010db800000000000000000000aaaa', '2001:db8::aaaa'],
    ['00010000000000000000000000000000', '1::'],
    ['00000000000000000000ffffc0000201', '::ffff:192.0.2.1'],
    ['fe80000000000000020bdbfffe4b8a1c', 'fe80::20b:dbff:fe4b:8a1c'],
  ])('%s is %s', (hex, expected) => {
    expect(ipv6Text(Buffer.from(hex, 'hex'), 0)).toBe(expected);
  });

  it('agrees with the serializer of the URL standard', () => {
    const word = fc.oneof(fc.constant(0), fc.nat(0xffff));
    fc.assert(
      fc.property(fc.array(word, { minLength: 8, maxLength: 8 }), (words) => {
        const bytes = Buffer.alloc(16);
        for (const [index, value] of words.entries()) bytes.writeUInt16BE(value, index * 2);
        const plain = words.map((value) => value.toString(16)).join(':');
        const canonical = new URL(`http://[${plain}]/`).hostname.slice(1, -1);
        // The URL standard has no dotted tail.
        fc.pre(!canonical.startsWith('::ffff:'));
        expect(ipv6Text(bytes, 0)).toBe(canonical);
      }),
    );
  });
});

describe('ipv4Text', () => {
  it('is dotted decimal', () => {
    expect(ipv4Text(Buffer.of(9, 10, 0, 255, 7), 1)).toBe('10.0.255.7');
  });
});
