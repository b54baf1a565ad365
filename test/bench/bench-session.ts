import { Cgroup, ResourceStack } from '../../engine/kernel/index.js';
import { KernelSession, type ObjectPlan } from '../../engine/loader/index.js';
import { hostFeatures, planPolicies } from '../host/plan-policies.js';
import { TestCgroup } from '../host/test-cgroup.js';
import { FileOpener } from './file-opener.js';

/** Policies in this machine's kernel, for the one cgroup in which the opener runs. */
export interface BenchSession {
  readonly kernel: KernelSession;
  readonly plans: readonly ObjectPlan[];
  readonly opener: FileOpener;
}

/** Sets everything up, calls `measure`, and takes everything away whatever happens. */
export async function withSession<Result>(
  policies: string,
  ringBytes: number,
  measure: (session: BenchSession) => Promise<Result>,
): Promise<Result> {
  await using cgroup = new TestCgroup('bench');
  using opener = await FileOpener.start(cgroup.path);
  using resources = new ResourceStack();
  const scope = resources.use(Cgroup.open(cgroup.path));
  const plans = planPolicies(policies, { degrade: false });
  const kernel = resources.use(
    new KernelSession({ scope, gate: undefined, features: hostFeatures(), ringBytes }),
  );
  for (const plan of plans) kernel.load(plan);
  kernel.attachAll();
  const result = await measure({ kernel, plans, opener });
  await opener.stop();
  return result;
}
