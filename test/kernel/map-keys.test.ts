import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lpmKey, networkKey } from '../../engine/kernel/maps/map-keys.js';
import { countCpus } from '../../engine/kernel/system/possible-cpus.js';
import { thrownBy } from '../policies/policy-text.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('keys of LPM tries', () => {
  test.each([
    { network: '10.1.0.0/16', key: '100000000a010000' },
    { network: '192.0.2.1', key: '20000000c0000201' },
    { network: '0.0.0.0/0', key: '0000000000000000' },
    { network: '2001:db8::/32', key: '2000000020010db8000000000000000000000000' },
    { network: '::1', key: '8000000000000000000000000000000000000001' },
    { network: '::', key: '8000000000000000000000000000000000000000' },
    { network: '1:2:3:4:5:6:7:8', key: '8000000000010002000300040005000600070008' },
    { network: '::ffff:192.0.2.1/96', key: '6000000000000000000000000000ffffc0000201' },
  ])('$network', ({ network, key }) => {
    expect(hex(networkKey(network))).toBe(key);
  });

  test.each([
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    'fe80::1%eth0',
    '10.0.0.0/',
  ])('%s is refused', (network) => {
    expect(thrownBy(() => networkKey(network)).code).toBe('MAP_ELEMENT_SIZE');
  });

  test('any IPv6 address, written in full or short, gives its own bytes', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const embedded = /^\[(.*)\]$/.exec(new URL(`http://[${address}]/`).hostname)?.[1] ?? '';
        expect(hex(networkKey(address))).toBe(hex(networkKey(embedded)));
      }),
    );
  });

  test('a prefix longer than the data is refused', () => {
    expect(thrownBy(() => lpmKey(new Uint8Array(4), 33)).code).toBe('MAP_ELEMENT_SIZE');
    expect(thrownBy(() => lpmKey(new Uint8Array(4), 1.5)).code).toBe('MAP_ELEMENT_SIZE');
  });
});

test.each([
  { list: '0\n', count: 1 },
  { list: '0-3\n', count: 4 },
  { list: '0,2-5,9\n', count: 6 },
])('the CPU list $list has $count', ({ list, count }) => {
  expect(countCpus(list)).toBe(count);
});
