import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from './free-ports.js';
import { kafkaClassPath } from './kafka-jars.js';
import { missingProgram, runProgram } from './run-program.js';

/** A small heap and the quick compiler: the broker lives for seconds. */
const JVM_OPTIONS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

export interface BrokerOptions {
  readonly autoCreateTopics?: boolean;
}

/** A real Apache Kafka: one node (KRaft), loopback only, data in a temporary folder, the same port at each start. */
export class KafkaBroker {
  readonly port: number;
  readonly #controllerPort: number;
  readonly #folder: string;
  readonly #classPath: string;
  #process: ChildProcess | undefined;

  private constructor(folder: string, classPath: string, port: number, controllerPort: number) {
    this.#folder = folder;
    this.#classPath = classPath;
    this.port = port;
    this.#controllerPort = controllerPort;
  }

  /** Prepares a broker without starting it. */
  static async create(): Promise<KafkaBroker> {
    const classPath = await kafkaClassPath();
    const [port = 0, controllerPort = 0] = await freePorts(2);
    const folder = mkdtempSync(join(tmpdir(), 'vespid-kafka-'));
    const broker = new KafkaBroker(folder, classPath, port, controllerPort);
    try {
      await broker.#format();
    } catch (error) {
      broker.#removeFolder();
      throw error;
    }
    return broker;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Resolves when the broker answers clients. */
  async start(options: BrokerOptions = {}): Promise<void> {
    if (this.#process !== undefined) throw new Error('the broker runs already');
    const configuration = this.#configure(options);
    const log = openSync(join(this.#folder, 'broker.log'), 'a');
    const child = spawn('java', [...JVM_OPTIONS, '-cp', this.#classPath, 'kafka.Kafka', configuration], {
      cwd: this.#folder,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#process = child;
    const failure: { error?: Error } = {};
    child.once('error', () => {
      failure.error = missingProgram('java');
    });
    process.once('exit', () => child.kill('SIGKILL'));
    await this.#untilReady(child, failure);
  }

  /** SIGKILL is a crash: no clean-up, no goodbye to clients. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.pid === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** The broker's host hangs: connections stay open and nothing is answered. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Stops the broker and removes its data. */
  async remove(): Promise<void> {
    await this.stop();
    this.#removeFolder();
  }

  async #format(): Promise<void> {
    const clusterId = randomBytes(16).toString('base64url');
    const configuration = this.#configure({});
    const format = ['format', '--standalone', '--cluster-id', clusterId, '--config', configuration];
    await runProgram('java', [...JVM_OPTIONS, '-cp', this.#classPath, 'kafka.tools.StorageTool', ...format], {
      cwd: this.#folder,
    });
  }

  #configure({ autoCreateTopics = true }: BrokerOptions): string {
    const path = join(this.#folder, 'server.properties');
    const listener = `PLAINTEXT://${this.address}`;
    const controller = `127.0.0.1:${this.#controllerPort}`;
    const lines = [
      'process.roles=broker,controller',
      'node.id=1',
      `controller.quorum.bootstrap.servers=${controller}`,
      'controller.listener.names=CONTROLLER',
      `listeners=${listener},CONTROLLER://${controller}`,
      `advertised.listeners=${listener}`,
      'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      `log.dirs=${join(this.#folder, 'data')}`,
      `auto.create.topics.enable=${autoCreateTopics}`,
      // After a crash the controller admits the broker again only when its old session has ended (default: 9 s).
      'broker.session.timeout.ms=2000',
      'broker.heartbeat.interval.ms=500',
      // Several, so that order within a key is a statement about the key.
      'num.partitions=3',
      'offsets.topic.replication.factor=1',
    ];
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  }

  async #untilReady(child: ChildProcess, failure: { error?: Error }): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline) {
      if (failure.error !== undefined) throw failure.error;
      if (child.exitCode !== null || child.signalCode !== null) break;
      const ready = await runProgram('kcat', ['-b', this.address, '-L', '-m', '1']).then(
        () => true,
        (error: Error) => {
          if (error.message.includes('not installed')) throw error;
          return false;
        },
      );
      if (ready) return;
      await sleep(POLL_MS);
    }
    const log = readFileSync(join(this.#folder, 'broker.log'), 'utf8').slice(-4000);
    throw new Error(`the Kafka broker on ${this.address} did not start; its log ends with:\n${log}`);
  }

  #removeFolder(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
