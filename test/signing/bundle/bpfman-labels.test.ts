import { describe, expect, test } from 'vitest';
import { bpfmanLabels } from '../../../signing/bundle/bpfman-labels.js';
import type { ProgramClaim } from '../../../signing/index.js';
import { sampleClaim } from '../sample-bundle.js';

function claim(name: string, section: string, about: Partial<ProgramClaim>): ProgramClaim {
  return { ...sampleClaim('a.bpf.o', section, name), maps: [], ...about };
}

function map(name: string, type: string): ProgramClaim['maps'][number] {
  return { name, type, keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 };
}

describe('bpfmanLabels', () => {
  test.each<{ section: string; about: Partial<ProgramClaim>; type: string }>([
    { section: 'xdp', about: { type: 'xdp', attachType: 'xdp' }, type: 'xdp' },
    { section: 'tc', about: { type: 'sched_cls', attachType: '' }, type: 'tc' },
    { section: 'tcx/ingress', about: { type: 'sched_cls', attachType: 'tcx_ingress' }, type: 'tcx' },
    { section: 'tp/syscalls/x', about: { type: 'tracepoint', attachType: '' }, type: 'tracepoint' },
    { section: 'kprobe/f', about: { type: 'kprobe', attachType: '' }, type: 'kprobe' },
    { section: '?kretprobe/f', about: { type: 'kprobe', attachType: '' }, type: 'kretprobe' },
    { section: 'uprobe.s/f', about: { type: 'kprobe', attachType: '' }, type: 'uprobe' },
    { section: 'uretprobe/f', about: { type: 'kprobe', attachType: '' }, type: 'uretprobe' },
    { section: 'fentry/f', about: { type: 'tracing', attachType: 'trace_fentry' }, type: 'fentry' },
    { section: 'fexit.s/f', about: { type: 'tracing', attachType: 'trace_fexit' }, type: 'fexit' },
    { section: 'lsm/file_open', about: { type: 'lsm', attachType: 'lsm_mac' }, type: 'lsm' },
  ])('$section is $type', ({ section, about, type }) => {
    expect(bpfmanLabels([claim('p', section, about)])['io.ebpf.programs']).toBe(`{"p":"${type}"}`);
  });

  test('maps are listed once, in aya’s spelling', () => {
    const programs = [
      claim('b', 'xdp', { type: 'xdp', maps: [map('stats', 'percpu_array'), map('flows', 'hash')] }),
      claim('a', 'xdp', { type: 'xdp', maps: [map('stats', 'percpu_array')] }),
    ];
    expect(bpfmanLabels(programs)).toEqual({
      'io.ebpf.programs': '{"a":"xdp","b":"xdp"}',
      'io.ebpf.maps': '{"flows":"hash","stats":"per_cpu_array"}',
    });
  });

  test('of two programs with one name the first counts', () => {
    const labels = bpfmanLabels([
      claim('p', 'xdp', { type: 'xdp' }),
      claim('p', 'tc', { type: 'sched_cls' }),
    ]);
    expect(labels['io.ebpf.programs']).toBe('{"p":"xdp"}');
  });
});
