import { ATTACH_TYPE, PROGRAM_TYPE } from '../../bytecode/index.js';
import {
  attachFlowDissector,
  attachNetfilter,
  attachNetkit,
  attachPerfEvent,
  attachReuseport,
  attachSocketFilter,
  attachSocketLookup,
  attachTc,
  attachTcx,
  attachToCgroup,
  attachToSockmap,
  attachXdp,
} from '../../kernel/index.js';
import type { LoadedProgram } from '../programs/loaded-program.js';
import type { AttachOptions } from './attach-options.js';
import { cannotAttach } from './cannot-attach.js';

/**
 * Attaches a program whose section says what sort of place it goes to, and the caller which one.
 *
 * @throws VespidError ATTACH_UNSUPPORTED naming the option that is missing, KERNEL_*
 */
export function attachToGivenTarget(loaded: LoadedProgram, options: AttachOptions): Disposable {
  const { program, meaning } = loaded;
  const given = <Key extends keyof AttachOptions>(key: Key): NonNullable<AttachOptions[Key]> => {
    const value = options[key];
    if (value !== undefined && value !== null) return value;
    throw cannotAttach(loaded, `it needs ${NEEDS[key]}`, `give \`${key}\` in the options of attach`);
  };
  switch (meaning.programType) {
    case PROGRAM_TYPE.lsm:
    case PROGRAM_TYPE['cgroup-skb']:
    case PROGRAM_TYPE['cgroup-sock']:
    case PROGRAM_TYPE['cgroup-sock-addr']:
    case PROGRAM_TYPE['cgroup-sysctl']:
    case PROGRAM_TYPE['cgroup-sockopt']:
    case PROGRAM_TYPE['cgroup-device']:
    case PROGRAM_TYPE['sock-ops']:
      return attachToCgroup(program, given('cgroup'), meaning.attachType);
    case PROGRAM_TYPE.xdp:
      return attachXdp(program, given('interfaceIndex'));
    case PROGRAM_TYPE['sched-cls']:
      return attachToTraffic(loaded, given('interfaceIndex'), options);
    case PROGRAM_TYPE['sk-lookup']:
      return attachSocketLookup(program, given('networkNamespace'));
    case PROGRAM_TYPE['flow-dissector']:
      return attachFlowDissector(program, given('networkNamespace'));
    case PROGRAM_TYPE.netfilter:
      return attachNetfilter(program, given('netfilter'));
    case PROGRAM_TYPE['perf-event']: {
      const { event, scope } = given('perfEvent');
      const { cookie } = options;
      return attachPerfEvent(program, event, scope, cookie === undefined ? {} : { cookie });
    }
    case PROGRAM_TYPE['socket-filter']:
      return attachSocketFilter(program, given('socketFd'));
    case PROGRAM_TYPE['sk-reuseport']: {
      attachReuseport(program, given('socketFd'));
      // It stays for as long as the group of sockets does.
      return { [Symbol.dispose]: () => {} };
    }
    case PROGRAM_TYPE['sk-msg']:
    case PROGRAM_TYPE['sk-skb']:
      return attachToSockmap(program, given('sockmap'), meaning.attachType);
    default:
      throw cannotAttach(
        loaded,
        `programs of type ${meaning.programTypeName} are not attached by a loader`,
        'struct_ops are registered with `attachStructOps`, syscall programs run with `testRun`',
      );
  }
}

/** The place of a packet classifier: by its section for tcx and netkit, by the caller for plain tc. */
function attachToTraffic(
  loaded: LoadedProgram,
  interfaceIndex: number,
  { direction }: AttachOptions,
): Disposable {
  const { program, meaning, section } = loaded;
  switch (meaning.attachType) {
    case ATTACH_TYPE['netkit-primary']:
      return attachNetkit(program, interfaceIndex, 'primary');
    case ATTACH_TYPE['netkit-peer']:
      return attachNetkit(program, interfaceIndex, 'peer');
    case ATTACH_TYPE['tcx-ingress']:
    case ATTACH_TYPE['tcx-egress']: {
      const ofSection = meaning.attachType === ATTACH_TYPE['tcx-ingress'] ? 'ingress' : 'egress';
      if (section.includes('tcx')) return attachTcx(program, interfaceIndex, ofSection);
      return attachTc(program, interfaceIndex, ofSection);
    }
    default:
      if (direction !== undefined) return attachTc(program, interfaceIndex, direction);
      throw cannotAttach(
        loaded,
        'its section names no direction',
        'give `direction` in the options of attach',
      );
  }
}

const NEEDS: Readonly<Record<keyof AttachOptions, string>> = {
  cgroup: 'a cgroup',
  interfaceIndex: 'a network interface',
  direction: 'a direction',
  networkNamespace: 'a network namespace',
  netfilter: 'a netfilter hook',
  perfEvent: 'a perf event',
  socketFd: 'a socket',
  sockmap: 'a map of sockets',
  iterator: 'what to visit',
  pid: 'a process',
  target: 'a target',
  cookie: 'a cookie',
};
