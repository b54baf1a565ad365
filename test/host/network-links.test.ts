import { existsSync, writeFileSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ATTACH_TYPE } from '../../engine/bytecode/index.js';
import {
  type AttachOrder,
  attachFlowDissector,
  attachSocketFilter,
  attachSocketLookup,
  attachTc,
  attachTcx,
  attachXdp,
  BpfLink,
  bringUp,
  createVethPair,
  interfaceIndex,
  NetworkNamespace,
  ResourceStack,
  RouteSocket,
  TcFilter,
} from '../../engine/kernel/index.js';
import { compileFixture } from '../bytecode/external-tools.js';
import { COUNTER } from '../links/counters.js';
import { LoadedFixture } from '../links/loaded-fixture.js';
import { PacketSocket, udpFrame } from '../links/packet-socket.js';
import { thrownBy } from '../policies/policy-text.js';

let object: Uint8Array;
beforeAll(() => {
  object = compileFixture('links');
});

/** Two ends of a cable in a network namespace that ends with the test: what is sent into `sender` comes to `receiver`. */
interface Cable {
  readonly namespace: NetworkNamespace;
  readonly receiver: number;
  readonly send: () => void;
}

let resources = new ResourceStack();
let cable: Cable;
beforeEach(() => {
  const namespace = resources.use(NetworkNamespace.create());
  cable = namespace.run(() => {
    // No neighbour discovery: nothing but what the test sends is on this cable.
    for (const scope of ['all', 'default']) {
      const path = `/proc/sys/net/ipv6/conf/${scope}/disable_ipv6`;
      if (existsSync(path)) writeFileSync(path, '1');
    }
    using route = RouteSocket.open();
    createVethPair(route, 'receiver', 'sender');
    for (const name of ['receiver', 'sender']) bringUp(route, interfaceIndex(name));
    const socket = resources.use(PacketSocket.open(interfaceIndex('sender')));
    return {
      namespace,
      receiver: interfaceIndex('receiver'),
      send: () => socket.send(udpFrame(18)),
    };
  });
});
afterEach(() => {
  resources[Symbol.dispose]();
  resources = new ResourceStack();
});

const load = (...programs: string[]) => resources.use(new LoadedFixture(object, programs));

describe('XDP', () => {
  test.each(['generic', 'driver'] as const)('%s: attaches, fires, updates, detaches', (mode) => {
    const fixture = load('on_xdp_pass', 'on_xdp_drop');
    const [pass, drop] = [fixture.program('on_xdp_pass'), fixture.program('on_xdp_drop')];
    const link = resources.use(cable.namespace.run(() => attachXdp(pass, cable.receiver, mode)));
    const hits = () => [fixture.u64('hits', COUNTER.xdp), fixture.u64('hits', COUNTER.xdpOther)];
    cable.send();
    const [first] = hits();
    expect(first).toBe(1n);
    expect(link.info()).toMatchObject({
      programId: pass.info().id,
      target: { type: 'xdp', interfaceIndex: cable.receiver },
    });
    link.update(drop);
    const before = hits();
    cable.send();
    expect(hits()[0]).toBe(before[0]);
    expect(hits()[1]).toBe(1n);
    link.detach();
    const last = hits();
    cable.send();
    expect(hits()).toEqual(last);
    expect(link.info().target).toEqual({ type: 'xdp', interfaceIndex: 0 });
  });

  test('a second program is refused', () => {
    const fixture = load('on_xdp_pass', 'on_xdp_drop');
    resources.use(cable.namespace.run(() => attachXdp(fixture.program('on_xdp_pass'), cable.receiver)));
    const refused = thrownBy(() =>
      cable.namespace.run(() => attachXdp(fixture.program('on_xdp_drop'), cable.receiver)),
    );
    expect(refused).toMatchObject({ code: 'KERNEL_CALL_FAILED', details: { errnoName: 'EBUSY' } });
  });

  test('update with the wrong expected program is refused', () => {
    const fixture = load('on_xdp_pass', 'on_xdp_drop');
    const [pass, drop] = [fixture.program('on_xdp_pass'), fixture.program('on_xdp_drop')];
    const link = resources.use(cable.namespace.run(() => attachXdp(pass, cable.receiver)));
    expect(thrownBy(() => link.update(drop, drop)).code).toBe('KERNEL_PERMISSION');
    link.update(drop, pass);
    expect(link.info().programId).toBe(drop.info().id);
  });

  test('a link is opened by its id', () => {
    const fixture = load('on_xdp_pass');
    const link = resources.use(
      cable.namespace.run(() => attachXdp(fixture.program('on_xdp_pass'), cable.receiver)),
    );
    const again = resources.use(BpfLink.openById(link.info().id));
    link.close();
    cable.send();
    expect(fixture.u64('hits', COUNTER.xdp)).toBe(1n);
    expect(again.info().target).toEqual({ type: 'xdp', interfaceIndex: cable.receiver });
  });
});

describe('tcx', () => {
  test('attaches, fires, updates, detaches', () => {
    const fixture = load('on_tcx_pass', 'on_tcx_other');
    const link = resources.use(
      cable.namespace.run(() => attachTcx(fixture.program('on_tcx_pass'), cable.receiver, 'ingress')),
    );
    const hits = () => [fixture.u64('hits', COUNTER.tc), fixture.u64('hits', COUNTER.tcOther)];
    cable.send();
    expect(hits()[0]).toBe(1n);
    expect(link.info().target).toMatchObject({ type: 'tcx', interfaceIndex: cable.receiver });
    link.update(fixture.program('on_tcx_other'));
    const before = hits();
    cable.send();
    expect(hits()[0]).toBe(before[0]);
    expect(hits()[1]).toBe(1n);
    link.close();
    const last = hits();
    cable.send();
    expect(hits()).toEqual(last);
  });

  test('takes the place that it is given', () => {
    // A program can stand in one place only, so that of the front is loaded a second time.
    const [fixture, front] = [load('on_tcx_pass', 'on_tcx_other', 'on_tc_pass'), load('on_tcx_other')];
    const attach = (from: LoadedFixture, name: string, order: AttachOrder) =>
      resources.use(
        cable.namespace.run(() => attachTcx(from.program(name), cable.receiver, 'ingress', order)),
      );
    const middle = attach(fixture, 'on_tcx_pass', 'last');
    // This one ends the walk (TC_ACT_OK): what stands behind it does not run.
    attach(fixture, 'on_tc_pass', { before: middle });
    attach(fixture, 'on_tcx_other', { after: middle });
    attach(front, 'on_tcx_other', 'first');
    cable.send();
    expect(front.u64('hits', COUNTER.tcOther)).toBe(1n);
    expect(fixture.u64('hits', COUNTER.tc)).toBe(front.u64('hits', COUNTER.tcOther));
    expect(fixture.u64('hits', COUNTER.tcOther)).toBe(0n);
  });
});

describe('tc', () => {
  test('as a filter of clsact: attaches, fires, updates, detaches', () => {
    const fixture = load('on_tc_pass', 'on_tc_other');
    const hits = () => [fixture.u64('hits', COUNTER.tc), fixture.u64('hits', COUNTER.tcOther)];
    const filter = resources.use(
      cable.namespace.run(() => new TcFilter(fixture.program('on_tc_pass'), cable.receiver, 'ingress')),
    );
    cable.send();
    expect(hits()[0]).toBe(1n);
    filter.update(fixture.program('on_tc_other'));
    const before = hits();
    cable.send();
    expect(hits()[0]).toBe(before[0]);
    expect(hits()[1]).toBe(1n);
    filter[Symbol.dispose]();
    const last = hits();
    cable.send();
    expect(hits()).toEqual(last);
  });

  test('a filter in a place that is taken is refused in words of the kernel', () => {
    const fixture = load('on_tc_pass');
    const attach = () =>
      cable.namespace.run(() => new TcFilter(fixture.program('on_tc_pass'), cable.receiver, 'egress'));
    resources.use(attach());
    const refused = thrownBy(attach);
    expect(refused.code).toBe('NETLINK_REFUSED');
    expect(refused.details).toMatchObject({ errnoName: 'EEXIST', text: expect.stringMatching(/exists/i) });
  });

  test('is a tcx link where the kernel has it', () => {
    const fixture = load('on_tc_pass');
    const link = resources.use(
      cable.namespace.run(() => attachTc(fixture.program('on_tc_pass'), cable.receiver, 'ingress')),
    );
    expect(link).toBeInstanceOf(BpfLink);
    cable.send();
    expect(fixture.u64('hits', COUNTER.tc)).toBe(1n);
  });
});

test('a socket filter drops what it says, until it is taken off', () => {
  const fixture = load('on_socket_filter');
  const socket = resources.use(cable.namespace.run(() => PacketSocket.open(cable.receiver)));
  cable.send();
  expect(socket.received()).toBe(1);
  const filter = attachSocketFilter(fixture.program('on_socket_filter'), socket.fd);
  cable.send();
  expect(socket.received()).toBe(0);
  expect(fixture.u64('hits', COUNTER.socketFilter)).toBe(1n);
  filter[Symbol.dispose]();
  cable.send();
  expect(socket.received()).toBe(1);
});

describe('a network namespace', () => {
  test.each([
    ['on_sk_lookup', attachSocketLookup, ATTACH_TYPE['sk-lookup']],
    ['on_flow_dissector', attachFlowDissector, ATTACH_TYPE['flow-dissector']],
  ] as const)('%s: attaches, says where, detaches', (name, attach, attachType) => {
    const fixture = load(name);
    const link = resources.use(attach(fixture.program(name), cable.namespace));
    const { target } = link.info();
    expect(target).toMatchObject({ type: 'netns', attachType });
    link.update(fixture.program(name));
    link.detach();
    expect(link.info().target).toEqual({ type: 'netns', netnsInode: 0, attachType });
    // The place is free again.
    resources.use(attach(fixture.program(name), cable.namespace));
  });
});

test('an interface that is not there is named', () => {
  expect(thrownBy(() => interfaceIndex('nonesuch')).code).toBe('INTERFACE_NOT_FOUND');
});
