import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { attachLoaded, loadObject } from '../../../engine/bpf/index.js';
import type { Btf, BtfComposite } from '../../../engine/bytecode/index.js';
import { KernelTypes, kernelSymbolAddress, ResourceStack } from '../../../engine/kernel/index.js';
import { guestObjectPath } from '../guest-objects.js';
import { GUEST_ROOT } from '../protocol.js';
import { runTool } from '../run-tool.js';
import { guestObject } from './guest-object.js';
import { guestKernel, guestTest } from './guest-test.js';
import { loadGuestModules } from './kernel-modules.js';

/** An Ethernet frame for BPF_PROG_TEST_RUN of tc programs. */
const PACKET = new Uint8Array(64);

const MODULE = 'nf_conntrack';

/** Of modules.bpf.c: programs on functions and a tracepoint of modules. */
const PROBES = ['on_find', 'on_protocol', 'on_probe', 'on_header'] as const;

function moduleNames(types: KernelTypes): string[] {
  return types.modules().map(({ name }) => name);
}

function structOf(btf: Btf, name: string): BtfComposite {
  const [typeId] = btf.idsByName(name, 'struct');
  assert.ok(typeId !== undefined, name);
  const type = btf.type(typeId);
  assert.ok(type.kind === 'struct');
  return type;
}

guestTest('modules come into the types of the kernel and go', {}, () => {
  using before = new KernelTypes();
  assert.ok(!moduleNames(before).includes(MODULE));
  assert.equal(kernelSymbolAddress('nf_conntrack_locks'), undefined);
  using stale = new KernelTypes();
  {
    using _modules = loadGuestModules();
    assert.ok(!moduleNames(before).includes(MODULE), 'the list is that of the first call');
    using fresh = new KernelTypes();
    assert.ok(moduleNames(fresh).includes(MODULE));
    const found = fresh.findFunction('bpf_skb_ct_lookup');
    assert.equal(found?.btf.label, `/sys/kernel/btf/${MODULE}`);
    assert.ok(fresh.findInModule(MODULE, 'function', 'bpf_ct_release'));
    assert.equal(fresh.findInModule('nbd', 'function', 'bpf_ct_release'), undefined);
    const address = /^([0-9a-f]+) . nf_conntrack_locks\t/m.exec(
      readFileSync('/proc/kallsyms', 'latin1'),
    )?.[1];
    assert.equal(kernelSymbolAddress('nf_conntrack_locks'), BigInt(`0x${address}`));
    assert.ok(moduleNames(stale).includes(MODULE));
  }
  assert.equal(stale.findFunction('bpf_skb_ct_lookup'), undefined);
  assert.equal(stale.findInModule(MODULE, 'function', 'bpf_ct_release'), undefined);
  assert.deepEqual(stale.coreTarget.modules(), []);
  using after = new KernelTypes();
  assert.ok(!moduleNames(after).includes(MODULE));
  assert.equal(kernelSymbolAddress('nf_conntrack_locks'), undefined);
  assert.throws(() => loadObject(guestObject('modules'), { programs: ({ name }) => name === 'track' }), {
    code: 'EXTERN_UNRESOLVED',
  });
  assert.throws(() => loadObject(guestObject('modules'), { programs: ({ name }) => name === 'on_find' }), {
    code: 'ATTACH_TARGET_UNKNOWN',
  });
});

guestTest('an object uses types, functions, symbols and targets of modules', {}, async (context) => {
  using _modules = loadGuestModules();
  using object = loadObject(guestObject('modules'));
  const seen = (name: string) => object.variable(name).get();
  const run = (name: string) => object.program(name).program.testRun({ data: PACKET }).returnValue;

  await context.test('CO-RE: sizes, offsets and existence are those of the BTF of the module', () => {
    using types = new KernelTypes();
    const btf = types.modules().find(({ name }) => name === MODULE)?.btf;
    assert.ok(btf);
    assert.deepEqual(types.vmlinux.idsByName('bpf_ct_opts', 'struct'), []);
    const options = structOf(btf, 'bpf_ct_opts');
    const offsetOf = (name: string) => options.members.find((member) => member.name === name)?.bitOffset;
    assert.equal(run('look_at_types'), 0);
    assert.equal(seen('options_size'), options.byteSize);
    assert.equal(seen('dir_offset'), Number(offsetOf('dir')) / 8);
    assert.equal(seen('has_zone'), guestKernel().name !== '6.1');
    assert.equal(seen('has_zone'), offsetOf('ct_zone_id') !== undefined);
    assert.equal(seen('zone_offset'), Number(offsetOf('ct_zone_id') ?? 0) / 8);
    assert.equal(seen('protocol_struct_size'), structOf(btf, 'nf_conntrack_l4proto').byteSize);
    assert.equal(seen('has_no_such'), false);
    assert.equal(seen('locks_address'), kernelSymbolAddress('nf_conntrack_locks'));
  });

  await context.test('kernel functions, and functions and tracepoints as targets', () => {
    const listed = () => readFileSync('/proc/net/nf_conntrack', 'utf8');
    assert.doesNotMatch(listed(), /src=192\.0\.2\.1 /);
    {
      using links = new ResourceStack();
      for (const name of PROBES) links.use(attachLoaded(object.program(name)));
      assert.equal(run('track'), 5);
      assert.match(listed(), /udp .* src=192\.0\.2\.1 dst=192\.0\.2\.2 sport=1000 dport=2000/);
    }
    assert.equal(seen('lookup_before'), -2);
    assert.equal(seen('finds'), 2n);
    assert.equal(seen('probed'), 2n);
    assert.equal(seen('asked_protocol'), 17);
    assert.equal(seen('found_protocol'), 17);
    assert.equal(run('track'), 1);
    assert.equal(seen('finds'), 2n, 'detached');
  });

  await context.test('libbpf loads the same programs: their tags', () => {
    const pins = '/sys/fs/bpf/vespid_modules';
    runTool('bpftool', ['prog', 'loadall', join(GUEST_ROOT, guestObjectPath('modules')), pins]);
    try {
      for (const { name, program } of object.programs) {
        // bpftool's answer has more members; only the tag is looked at.
        const shown = JSON.parse(runTool('bpftool', ['-j', 'prog', 'show', 'pinned', join(pins, name)])) as {
          tag: string;
        };
        assert.equal(program.info().tag, shown.tag, name);
      }
    } finally {
      rmSync(pins, { recursive: true });
    }
  });

  await context.test('a module in use stays', () => {
    assert.notEqual(spawnSync('rmmod', ['nf_conntrack']).status, 0);
  });
});

guestTest(
  'kprobe.multi by pattern, and fentry with the name of the module',
  { needs: ['newer-links'] },
  () => {
    using _modules = loadGuestModules();
    using object = loadObject(guestObject('modules'), { programs: ({ name }) => name === 'track' });
    using probes = loadObject(guestObject('module-probes'));
    using _links = probes.attachAll();
    assert.equal(object.program('track').program.testRun({ data: PACKET }).returnValue, 5);
    assert.ok(Number(probes.variable('probed').get()) >= 2);
    assert.equal(probes.variable('entered').get(), 2n);
  },
);
