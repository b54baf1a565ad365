import { afterAll, beforeAll, expect, it } from 'vitest';
import { readHostIdentity } from '../../engine/events/index.js';
import { onePolicy } from '../host/plan-policies.js';
import { TestCgroup } from '../host/test-cgroup.js';
import { RunningVespid, SignedFolder } from '../host/vespid-process.js';
import { KafkaBroker } from './kafka-broker.js';
import { readTopic, schemaErrorsOf } from './read-topic.js';

/** YAML policy → object → signed bundle → verified → loaded → refused action → event in a real Kafka. */

const REFUSED_PORT = 4445;
const CONNECTIONS = 20;

let broker: KafkaBroker;
beforeAll(async () => {
  broker = await KafkaBroker.create();
});
afterAll(() => broker.remove());

it('brings every refused connection into Kafka, also those from before the broker was there', async () => {
  using folder = new SignedFolder(
    onePolicy('net.connect', `net.port == ${REFUSED_PORT}`, 'deny', 'refused-port'),
  );
  await using cgroup = new TestCgroup('main-job');
  const topic = 'vespid-events';
  await using running = new RunningVespid([
    folder.bundle,
    ...['--trust', folder.trust, '--cgroup', cgroup.path],
    ...['--sink', `kafka:${broker.address}/${topic}`],
  ]);
  await running.says('watching');
  await running.says('KAFKA_UNREACHABLE');
  connect(cgroup);
  await broker.start();
  connect(cgroup);
  const ended = await running.stop();
  expect(ended.stderr).toContain(`${2 * CONNECTIONS} events (${2 * CONNECTIONS} denied`);
  expect(ended.stderr).toContain(`${2 * CONNECTIONS} delivered, 0 dropped`);
  expect(ended.status).toBe(0);

  const messages = await readTopic(broker.address, topic);
  expect(schemaErrorsOf(messages)).toEqual([]);
  expect(new Set(messages.map(({ id }) => id)).size).toBe(2 * CONNECTIONS);
  expect(new Set(messages.map(({ key }) => key))).toEqual(new Set([readHostIdentity().id]));
});

/** Twenty connects, each of which must get EPERM. */
function connect(cgroup: TestCgroup): void {
  const script = `
    const net = require('node:net');
    let refused = 0;
    const next = (left) => left === 0 ? console.log(refused) : net.connect(${REFUSED_PORT}, '127.0.0.1')
      .on('error', (error) => { if (error.code === 'EPERM') refused++; next(left - 1); });
    next(${CONNECTIONS});`;
  expect(cgroup.run([process.execPath, '-e', script]).stdout.trim()).toBe(String(CONNECTIONS));
}
