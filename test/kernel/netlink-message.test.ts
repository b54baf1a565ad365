import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader } from '../../engine/bytecode/index.js';
import { VespidError } from '../../engine/errors/index.js';
import {
  decodeAttributes,
  decodeMessages,
  encodeAttributes,
  encodeMessage,
} from '../../engine/kernel/netlink/message.js';
import { thrownBy } from '../policies/policy-text.js';

const bytesOf = (reader: ByteReader | undefined) => [...(reader?.bytes ?? [])];

describe('netlink attributes', () => {
  test('come back as they were sent', () => {
    const types = fc.uniqueArray(fc.integer({ min: 0, max: 0x3fff }), { maxLength: 8 });
    const value = fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(types, fc.array(value, { minLength: 8, maxLength: 8 }), (numbers, values) => {
        const attributes = numbers.map((type, index) => ({ type, value: values[index] ?? new Uint8Array() }));
        const bytes = encodeAttributes(attributes);
        expect(bytes.byteLength % 4).toBe(0);
        const decoded = decodeAttributes(new ByteReader(new Uint8Array(bytes), 'test'));
        expect(decoded.size).toBe(attributes.length);
        for (const { type, value } of attributes) expect(bytesOf(decoded.get(type))).toEqual([...value]);
      }),
    );
  });

  test('nested, text and number, byte for byte', () => {
    const bytes = encodeAttributes([
      { type: 18, value: [{ type: 1, value: 'veth' }] },
      { type: 6, value: 0x01020304 },
    ]);
    expect([...bytes]).toEqual([
      // 16 bytes, type 18 with NLA_F_NESTED; inside 9 bytes of type 1, padded to 12
      ...[16, 0, 18, 0x80, 9, 0, 1, 0, ...Buffer.from('veth\0'), 0, 0, 0],
      ...[8, 0, 6, 0, 4, 3, 2, 1],
    ]);
  });

  test.each([
    ['a length below that of its own header', [3, 0, 1, 0], 'NETLINK_MALFORMED'],
    ['a length beyond the end', [9, 0, 1, 0, 0, 0, 0, 0], 'BYTES_OUT_OF_RANGE'],
    ['half a header', [8, 0], 'BYTES_OUT_OF_RANGE'],
  ])('%s is refused', (_name, bytes, code) => {
    expect(thrownBy(() => decodeAttributes(new ByteReader(Uint8Array.from(bytes), 'test'))).code).toBe(code);
  });
});

describe('netlink messages', () => {
  test('come back as they were sent', () => {
    const u16 = fc.integer({ min: 0, max: 0xffff });
    const fixed = fc.uint8Array({ maxLength: 24 });
    fc.assert(
      fc.property(u16, u16, fc.nat(), fixed, (type, flags, sequence, header) => {
        const bytes = encodeMessage(type, flags, sequence, header, [{ type: 1, value: 7 }]);
        const [message, ...rest] = decodeMessages(bytes);
        expect(rest).toEqual([]);
        expect(message).toMatchObject({ type, flags, sequence });
        const padded = Math.ceil(header.byteLength / 4) * 4;
        expect(bytesOf(message?.payload)).toEqual([
          ...header,
          ...new Uint8Array(padded - header.byteLength),
          ...[8, 0, 1, 0, 7, 0, 0, 0],
        ]);
      }),
    );
  });

  test('of any bytes are refused with a documented code, or read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeMessages(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(VespidError);
          expect(['NETLINK_MALFORMED', 'BYTES_OUT_OF_RANGE']).toContain((error as VespidError).code);
        }
      }),
    );
  });
});
