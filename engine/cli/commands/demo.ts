import { Command } from 'commander';
import { VespidError } from '../../errors/index.js';
import { summaryLines } from '../agent-log.js';
import { reportLines } from '../demo/demo-report.js';
import { playDemo } from '../demo/play-demo.js';
import { helpNotes } from '../help-text.js';
import { toJsonLine } from '../outcome.js';
import { outputOf } from '../report.js';
import { jsonOption, verboseOption } from '../shared-options.js';

const NOTES = helpNotes({
  examples: [['sudo vespid demo', 'sign, verify, load, and play an intrusion in a cgroup of its own']],
  json: '{ok, kernel, steps: [{step, policy, result, intruderSucceeded, observed, why}], summary, eventsFile}',
});

export function demoCommand(): Command {
  return new Command('demo')
    .description('the whole way once on this machine: sign, verify, load, a harmless intrusion, its events')
    .option('--out <file>', 'where the events go as JSON lines', 'events.jsonl')
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText('after', NOTES)
    .action(async function (this: Command, options: { readonly out: string; readonly json?: true }) {
      const { writeOut } = outputOf(this);
      const asJson = options.json === true;
      const say = (line: string) => {
        if (!asJson) writeOut(`${line}\n`);
      };
      const colour = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
      const { kernel, steps, summary } = await playDemo({ eventsFile: options.out, colour, say });
      say(`\nWhat happened on kernel ${kernel}:`);
      for (const line of reportLines(steps)) say(line);
      say('');
      for (const line of summaryLines(summary)) say(line);
      say(`events: ${options.out}`);
      const missed = steps.filter(({ result }) => result === 'missed').map(({ step }) => step);
      if (missed.length > 0) {
        throw new VespidError('DEMO_STEP_MISSED', `not caught: ${missed.join('; ')}`, {
          details: { steps, summary },
        });
      }
      if (asJson) writeOut(toJsonLine({ ok: true, kernel, steps, summary, eventsFile: options.out }));
    });
}
