import { openJsonlSink } from './jsonl-sink.js';
import type { SinkSpec } from './parse-sink.js';
import type { Sink, SinkContext } from './sink.js';
import { openStdoutSink } from './stdout-sink.js';

/**
 * Opens what {@link parseSink} gave. A Kafka sink is open at once and connects when it has something to deliver,
 * or in `connectOrExplain`. kafkajs is imported only when it is needed.
 *
 * @throws VespidError SINK_FILE_UNWRITABLE
 */
export async function openSink(spec: SinkSpec, context: SinkContext): Promise<Sink> {
  switch (spec.kind) {
    case 'stdout':
      return openStdoutSink(context);
    case 'jsonl':
      return openJsonlSink({ path: spec.path, onNotice: context.onNotice });
    case 'kafka': {
      const { KafkaSink } = await import('./kafka-sink.js');
      return new KafkaSink({ ...context, brokers: spec.brokers, topic: spec.topic });
    }
  }
}
