import { type CheckedPolicy, parsePolicies } from '../../policies/language/index.js';

export interface SampleRule {
  readonly hook: string;
  readonly when: string;
  readonly effect?: string;
}

/** One policy with these rules. */
export function policyOf(rules: readonly SampleRule[], name = 'sample'): CheckedPolicy {
  const lines = rules.map(
    ({ hook, when, effect = 'audit' }) =>
      `    - { hook: ${hook}, effect: ${effect}, when: ${JSON.stringify(when)} }`,
  );
  const text = `apiVersion: vespid.dev/v1
kind: Policy
metadata: { name: ${name} }
spec:
  severity: low
  rules:
${lines.join('\n')}
`;
  const [policy] = parsePolicies(text, 'sample.yaml');
  if (policy === undefined) throw new Error('the sample holds no policy');
  return policy;
}

/** So many rules on file.open, each with a path of its own. */
export function equalityRules(count: number): SampleRule[] {
  return Array.from({ length: count }, (_, index) => ({
    hook: 'file.open',
    when: `file.path == "/etc/vespid/rule-${index}"`,
  }));
}

/** Every kind of test on every hook. */
export const VARIED_RULES: readonly SampleRule[] = [
  {
    hook: 'net.connect',
    when: 'cidr("10.0.0.0/9").containsIP(net.address) && net.port in [22, 443]',
    effect: 'deny',
  },
  {
    hook: 'file.open',
    when: 'file.path in ["/etc/shadow", "/etc/gshadow"] && process.exe != "/usr/bin/su"',
    effect: 'kill',
  },
  { hook: 'file.open', when: 'file.write && (file.path.startsWith("/etc/") || file.name.endsWith(".so"))' },
  { hook: 'process.exec', when: 'exec.args.contains("-c") || exec.filename.contains("tmp")' },
  { hook: 'process.exec', when: 'exec.path.contains("/tmp") && exec.uid >= 1000' },
];
