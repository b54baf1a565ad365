import { describe, expect, test } from 'vitest';
import { parseSectionName } from '../../engine/bytecode/index.js';
import { SECTION_CONVENTIONS } from '../../engine/bytecode/object/section-conventions.js';
import { attachesToCgroup } from '../../engine/loader/attach.js';

/** What `--cgroup` can limit, of all that a section can say; the kernel runs the others for the whole machine. */
const OF_A_CGROUP = /^(cgroup(_skb)?\/|lsm_cgroup$|sockops$)/;

describe('attachesToCgroup', () => {
  test.each(SECTION_CONVENTIONS.map(({ name, mayHaveTarget }) => ({ name, mayHaveTarget })))(
    '$name',
    ({ name, mayHaveTarget }) => {
      const isOfCgroup = OF_A_CGROUP.test(name);
      expect(attachesToCgroup(parseSectionName(name))).toBe(isOfCgroup);
      if (mayHaveTarget) expect(attachesToCgroup(parseSectionName(`${name}/cgroup`))).toBe(isOfCgroup);
    },
  );
});
