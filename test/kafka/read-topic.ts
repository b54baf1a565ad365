import { schemaErrorsOfLine } from '../events/event-schema.js';
import { runProgram } from './run-program.js';

export interface ReadMessage {
  readonly key: string;
  readonly partition: number;
  readonly headers: string;
  readonly id: string;
  readonly pid: number;
  readonly value: string;
}

/** Everything in the topic, read with kcat: independent of the client under test. */
export async function readTopic(address: string, topic: string): Promise<ReadMessage[]> {
  const format = '%k\\t%p\\t%h\\t%s\\n';
  const output = await runProgram('kcat', ['-b', address, '-t', topic, '-C', '-e', '-q', '-f', format], {
    timeoutMs: 30_000,
  });
  return output.split('\n').slice(0, -1).map(parseLine);
}

function parseLine(line: string): ReadMessage {
  const [key = '', partition = '', headers = '', value = ''] = line.split('\t');
  // The schema is checked by `schemaErrorsOf`; these two are all that order and losses are judged by.
  const event = JSON.parse(value) as { id: string; process: { pid: number } };
  return { key, partition: Number(partition), headers, value, id: event.id, pid: event.process.pid };
}

/** What the JSON Schema has against the messages. */
export function schemaErrorsOf(messages: readonly ReadMessage[]): string[] {
  return messages.flatMap(({ value }) => schemaErrorsOfLine(value));
}

/** The ids in the order of their first arrival: what a consumer that removes repetitions sees. */
export function distinctIds(messages: readonly ReadMessage[]): string[] {
  return [...new Set(messages.map(({ id }) => id))];
}
