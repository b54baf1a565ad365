import { beforeEach, describe, expect, it } from 'vitest';
import { VespidError } from '../../../engine/errors/index.js';
import { FailureNotices } from '../../../engine/events/sinks/failure-notices.js';
import { CollectedNotices } from './collected-notices.js';

const unreachable = new VespidError('KAFKA_UNREACHABLE', 'no answer', { hint: 'start it' });
const unresolved = new VespidError('KAFKA_ADDRESS_UNRESOLVED', 'no such name');
const full = new VespidError('SINK_QUEUE_FULL', 'the queue is full');

describe('FailureNotices', () => {
  let nowMs: number;
  let collected: CollectedNotices;
  let notices: FailureNotices;
  beforeEach(() => {
    nowMs = 1_000_000;
    collected = new CollectedNotices();
    notices = new FailureNotices('sink', collected.onNotice, () => nowMs);
  });

  it('says at once what is wrong and what to do', () => {
    notices.failed(unreachable, 3);
    expect(collected.notices).toEqual([
      {
        sink: 'sink',
        level: 'warn',
        code: 'KAFKA_UNREACHABLE',
        message: 'no answer; 3 events waiting, trying again until it works',
        hint: 'start it',
      },
    ]);
  });

  it('repeats the same reason once a minute', () => {
    for (let second = 0; second < 121; second++, nowMs += 1000) notices.failed(unreachable, second);
    expect(collected.notices).toHaveLength(3);
  });

  it('gives a new reason, but not more than one in five seconds', () => {
    for (let second = 0; second < 11; second++, nowMs += 1000) {
      notices.failed(second % 2 === 0 ? unreachable : unresolved, 1);
    }
    expect(collected.codes).toEqual(['KAFKA_UNREACHABLE', 'KAFKA_ADDRESS_UNRESOLVED', 'KAFKA_UNREACHABLE']);
  });

  it('reports a recovery with its length', () => {
    notices.failed(unreachable, 1);
    nowMs += 12_000;
    notices.succeeded(4);
    notices.succeeded(0);
    expect(collected.notices.slice(1)).toEqual([
      { sink: 'sink', level: 'info', message: 'delivering again after 12 s; 4 events still waiting' },
    ]);
  });

  it('is no flood when a connection comes and goes', () => {
    for (let round = 0; round < 100; round++, nowMs += 100) {
      notices.failed(unreachable, 1);
      notices.succeeded(0);
    }
    expect(collected.notices.length).toBeLessThanOrEqual(6);
  });

  it('says nothing of a success without a failure', () => {
    notices.succeeded(0);
    expect(collected.notices).toEqual([]);
  });

  it('reports losses once a minute with the count so far', () => {
    for (let total = 1; total <= 61; total++, nowMs += 1000) notices.lost(full, total);
    expect(collected.notices.map(({ message }) => message)).toEqual([
      'the queue is full; 1 event lost so far',
      'the queue is full; 61 events lost so far',
    ]);
  });
});
