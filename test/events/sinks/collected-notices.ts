import type { SinkNotice } from '../../../engine/events/index.js';

/** Keeps what a sink tells its operator. */
export class CollectedNotices {
  readonly notices: SinkNotice[] = [];
  readonly onNotice = (notice: SinkNotice): void => void this.notices.push(notice);

  get codes(): (string | undefined)[] {
    return this.notices.map(({ code }) => code);
  }
}
