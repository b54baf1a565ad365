import { BlockList, isIPv6 } from 'node:net';
import { type CelInput, CelScalar, celFunc, celMethod, run } from '@bufbuild/cel';

/** The Kubernetes functions for the independent evaluator; here a block is its text. */
const FUNCTIONS = [
  celFunc('cidr', [CelScalar.STRING], CelScalar.STRING, (block) => block),
  celMethod('containsIP', CelScalar.STRING, [CelScalar.STRING], CelScalar.BOOL, function (address) {
    const [network = '', prefixLength] = this.split('/');
    if (isIPv6(network) !== isIPv6(address)) return false;
    const family = isIPv6(network) ? 'ipv6' : 'ipv4';
    const list = new BlockList();
    list.addSubnet(network, Number(prefixLength), family);
    return list.check(address, family);
  }),
];

/** `{ 'process.exe': … }` → `{ process: { exe: … } }` */
function nested(event: Readonly<Record<string, unknown>>): Record<string, CelInput> {
  const root: Record<string, Record<string, CelInput>> = {};
  for (const [name, value] of Object.entries(event)) {
    const [group = '', member = ''] = name.split('.');
    // Events hold text, bigint and boolean only.
    root[group] = { ...root[group], [member]: value as CelInput };
  }
  return root;
}

/** What an independent implementation of CEL makes of a condition and an event by dotted names. */
export function evaluateByCel(cel: string, event: Readonly<Record<string, unknown>>): unknown {
  return run(cel, nested(event), { funcs: FUNCTIONS });
}
