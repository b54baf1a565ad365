import { writeSync } from 'node:fs';
import pino from 'pino';
import type { AgentNotice, AgentSummary } from '../agent/index.js';
import { escapeForTerminal, type SinkNotice } from '../events/index.js';

/** What `vespid run` says about itself, on standard error: lines for people, or JSON for machines. */
export interface AgentLog {
  notice(notice: AgentNotice | SinkNotice): void;
  summary(summary: AgentSummary): void;
}

const STDERR_FD = 2;

/** One JSON object a line, by pino. */
export function jsonLog(): AgentLog {
  const logger = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: STDERR_FD, sync: true }),
  );
  return {
    notice: ({ level, message, ...rest }) => logger[level](rest, message),
    summary: (summary) => logger.info({ summary }, 'stopped'),
  };
}

export function textLog(): AgentLog {
  const line = (text: string) => writeSync(STDERR_FD, `vespid: ${escapeForTerminal(text)}\n`);
  return {
    notice: ({ level, message, code, hint }) => {
      const named = code === undefined ? message : `${code}: ${message}`;
      line(level === 'info' ? named : `${level}: ${named}`);
      if (hint !== undefined) line(`hint: ${hint}`);
    },
    summary: (summary) => {
      for (const text of summaryLines(summary)) line(text);
    },
  };
}

/** What a run saw and what was lost, for people. */
export function summaryLines({ seconds, pipeline, kernel, sinks }: AgentSummary): string[] {
  const { denied, killed, audited } = pipeline.byVerdict;
  const lost = [
    [kernel.lost, 'did not fit into the ring buffer'],
    [kernel.unjudged, 'runs could not judge'],
    [pipeline.undecodable, 'could not be decoded'],
  ] as const;
  const losses = lost.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return [
    `watched for ${seconds.toFixed(1)} s: ${pipeline.events} events (${denied} denied, ${killed} killed, ${audited} audited)`,
    `lost on this node: ${losses.length === 0 ? 'nothing' : losses.join(', ')}`,
    ...sinks.map(
      ({ name, delivered, dropped, retried }) =>
        `${name}: ${delivered} delivered, ${dropped} dropped, ${retried} retries`,
    ),
  ];
}
