/** `loki enterprise audit summary`. */
import { exitCode } from '../../lib/errors.ts';
import { queryLog } from '../../lib/audit/query.ts';
import { createSumming } from '../../lib/audit/summary.ts';
import { formatDuration } from '../../lib/base/duration.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { printable } from '../output.ts';

const dayMs = 86_400_000;

export const command: Command = {
  about: 'Counts the entries of a period by event, level and actor.',
  operands: [],
  flags: [{ name: 'period', kind: 'duration', value: 'TIME', summary: 'How far back: 30m, 24h, 7d (24h)' }],
  examples: [['loki enterprise audit summary', 'the last 24 hours'], ['loki enterprise audit summary --period 7d --json', 'a week, for a program']],
  exits: [],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const { host, home } = open(context);
  const period = args.number('period') ?? dayMs;
  const from = new Date(Math.max(0, host.clock.now() - period)).toISOString();
  const summing = createSumming();
  for (const entry of queryLog(host.disk, home.audit, { from })) summing.add(entry);
  const summary = summing.result();
  if (output.json) {
    output.value({ period: inHours(period), ...summary });
    return exitCode.done;
  }
  const { paint } = output.out;
  output.line(paint('bold', `Audit Log Summary (${period === dayMs ? 'Last 24 Hours' : `Last ${inHours(period)}`})`));
  const parts = [['Events by Type', summary.by_type], ['Events by Level', summary.by_level], ['Events by Actor', summary.by_actor]] as const;
  for (const [title, counts] of parts) {
    output.line();
    output.line(paint('bold', `${title}:`));
    for (const [name, count] of Object.entries(counts)) output.line(`  ${printable(name)}: ${count}`);
    if (Object.keys(counts).length === 0) output.line('  (none)');
  }
  return exitCode.done;
}

/** A day is `24h`, as the API writes it. */
function inHours(period: number): string {
  return period === dayMs ? '24h' : formatDuration(period);
}
