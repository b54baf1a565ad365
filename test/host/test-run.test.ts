import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NetworkNamespace, ResourceStack } from '../../engine/kernel/index.js';
import { compileFixture } from '../bytecode/external-tools.js';
import { COUNTER } from '../links/counters.js';
import { checkLoadBalancer, checkTrafficFilter } from '../links/load-balancer.js';
import { LoadedFixture } from '../links/loaded-fixture.js';
import { frame } from '../links/packets.js';
import { thrownBy } from '../policies/policy-text.js';

let balancer: Uint8Array;
let records: Uint8Array;
let links: Uint8Array;
beforeAll(() => {
  balancer = compileFixture('load-balancer');
  records = compileFixture('records');
  links = compileFixture('links');
});

let resources = new ResourceStack();
afterEach(() => {
  resources[Symbol.dispose]();
  resources = new ResourceStack();
});
const load = (object: Uint8Array, ...programs: string[]) =>
  resources.use(new LoadedFixture(object, programs));

const PACKET = frame({ source: '192.0.2.1', destination: '192.0.2.2', protocol: 'udp' });

describe('a load balancer under BPF_PROG_TEST_RUN', () => {
  test('XDP: sends each flow to its backend, in a tunnel with the right bytes', () => {
    checkLoadBalancer(balancer);
  });

  test('tc: drops by source prefix and port, and lowers the TTL', () => {
    checkTrafficFilter(balancer);
  });
});

describe('BPF_PROG_TEST_RUN', () => {
  test('a socket filter: the number of bytes to keep', () => {
    const fixture = load(balancer, 'first_bytes');
    expect(fixture.program('first_bytes').testRun({ data: PACKET }).returnValue).toBe(34);
  });

  test('repeats, and says how long one run takes', () => {
    const fixture = load(balancer, 'balance');
    const { returnValue, durationNs } = fixture.program('balance').testRun({ data: PACKET, repeat: 1000 });
    expect(returnValue).toBe(2);
    expect(durationNs).toBeGreaterThan(0);
    expect(durationNs).toBeLessThan(1_000_000);
  });

  test('a packet that grows beyond the room is refused, not cut', () => {
    const fixture = load(balancer, 'balance');
    const refused = thrownBy(() => fixture.program('balance').testRun({ data: PACKET, dataOutBytes: 20 }));
    expect(refused.details).toMatchObject({ errnoName: 'ENOSPC' });
  });

  test('live frames: every packet meets the program', () => {
    const fixture = load(links, 'on_xdp_drop');
    const namespace = resources.use(NetworkNamespace.create());
    const { dataOut } = namespace.run(() =>
      fixture.program('on_xdp_drop').testRun({ data: PACKET, repeat: 100, liveFrames: { batchSize: 10 } }),
    );
    expect(dataOut.byteLength).toBe(0);
    expect(fixture.u64('hits', COUNTER.xdpOther)).toBe(100n);
  });

  test('a raw tracepoint program runs on the CPU that is asked for', () => {
    const fixture = load(records, 'fill_perf');
    const context = new Uint8Array(new BigUint64Array([0n, 64n]).buffer);
    for (const cpu of [0, 1]) {
      expect(fixture.program('fill_perf').testRun({ context, cpu }).returnValue).toBe(0);
    }
    expect(thrownBy(() => fixture.program('fill_perf').testRun({ context, cpu: 4000 })).code).toBe(
      'KERNEL_CALL_FAILED',
    );
  });

  test('a syscall program gives its context back', () => {
    const fixture = load(records, 'fill_ring');
    const context = new Uint8Array(16);
    context.set([2, 0, 0, 0, 4, 0, 0, 0]);
    const given = context.slice();
    const { contextOut } = fixture.program('fill_ring').testRun({ context });
    // 4 bytes are too short for a record of this program: none is written, none fails.
    expect(contextOut).toEqual(given);
    expect(context).toEqual(given);
  });
});
