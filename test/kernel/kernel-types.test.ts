import { describe, expect, test } from 'vitest';
import { Btf, BtfBuilder } from '../../engine/bytecode/index.js';
import { OwnedFd } from '../../engine/kernel/system/owned-fd.js';
import { KernelTypes } from '../../engine/kernel/types/kernel-types.js';
import { thrownBy } from '../policies/policy-text.js';

function withFunction(builder: BtfBuilder, name: string): Uint8Array {
  const prototype = builder.add({ kind: 'function-prototype', returnTypeId: 0, parameters: [] });
  builder.add({ kind: 'function', name, typeId: prototype, linkage: 0 });
  return builder.build();
}

/** A kernel with the function `in_kernel` and two modules with one function each, which counts what is asked. */
function sampleKernel() {
  const vmlinux = new Btf(withFunction(new BtfBuilder(), 'in_kernel'), 'vmlinux');
  const asked = { vmlinux: 0, modules: 0, bytes: [] as string[], opened: [] as string[], closed: 0 };
  class CountedFd extends OwnedFd {
    override close(): void {
      asked.closed++;
    }
  }
  const module = (name: string, id: number) => ({
    name,
    id,
    bytes: () => {
      asked.bytes.push(name);
      return withFunction(new BtfBuilder(vmlinux), `in_${name}`);
    },
    open: () => {
      asked.opened.push(name);
      return new CountedFd(1000 + id);
    },
  });
  const types = new KernelTypes({
    vmlinux: () => {
      asked.vmlinux++;
      return vmlinux;
    },
    modules: () => {
      asked.modules++;
      return [module('first', 7), module('second', 8)];
    },
  });
  return { types, asked, vmlinux };
}

describe('KernelTypes', () => {
  test('reads nothing before it is asked', () => {
    const { asked } = sampleKernel();
    expect(asked).toEqual({ vmlinux: 0, modules: 0, bytes: [], opened: [], closed: 0 });
  });

  test('answers from vmlinux without a look at the modules', () => {
    const { types, asked, vmlinux } = sampleKernel();
    expect(types.findFunction('in_kernel')).toEqual({
      btf: vmlinux,
      typeId: 2,
      moduleBtfId: undefined,
      moduleBtfFd: undefined,
    });
    expect(asked.modules).toBe(0);
  });

  test('then from the modules in turn, and opens only the one that answers', () => {
    const { types, asked } = sampleKernel();
    expect(types.findFunction('in_first')).toMatchObject({ moduleBtfId: 7, moduleBtfFd: 1007, typeId: 4 });
    expect(types.findFunction('in_first')).toMatchObject({ moduleBtfFd: 1007 });
    expect(asked).toMatchObject({ modules: 1, bytes: ['first'], opened: ['first'] });
    types[Symbol.dispose]();
    expect(asked.closed).toBe(1);
  });

  test('says undefined for a function that nobody has, and an error for such an attach target', () => {
    const { types } = sampleKernel();
    expect(types.findFunction('nowhere')).toBeUndefined();
    const error = thrownBy(() => types.attachTarget({ kind: 'function', name: 'nowhere' }));
    expect(error).toMatchObject({ code: 'KERNEL_UNSUPPORTED', details: { target: 'nowhere' } });
  });

  test('a CO-RE target asks for the modules only when they are needed', () => {
    const { types, asked } = sampleKernel();
    const { modules } = types.coreTarget;
    expect(asked.modules).toBe(0);
    expect(modules().map(({ label }) => label)).toEqual(['/sys/kernel/btf/first', '/sys/kernel/btf/second']);
  });
});
