/** `loki enterprise audit summary`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { openReading } from '../../lib/app/audit/reading.ts';
import type { AuditSummary } from '../../lib/audit/summary.ts';
import { formatDuration } from '../../lib/base/duration.ts';
import type { Command, CommandContext } from '../command.ts';
import { warnUnreadable } from '../entries.ts';
import { open } from '../open.ts';
import { printable } from '../output.ts';

const dayMs = 86_400_000;

export const command: Command = {
  about: 'Counts the entries of a period by event, level and actor.',
  operands: [],
  flags: [{ name: 'period', kind: 'duration', value: 'TIME', summary: 'How far back: 30m, 24h, 7d (24h)' }],
  examples: [['loki enterprise audit summary', 'the last 24 hours'], ['loki enterprise audit summary --period 7d --json', 'a week, for a program']],
  exits: [[130, 'interrupted']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const installation = open(context);
  const { clock, timers } = installation.host;
  const period = args.number('period') ?? dayMs;
  if (period === 0) throw new LokiError('usage', { attempted: 'count the log', found: '--period is 0', hint: 'Give how far back to look: 30m, 24h, 7d' });
  const counting = (await openReading(installation, warnUnreadable(output))).summarize({ from: new Date(Math.max(0, clock.now() - period)).toISOString() });
  for (;;) {
    const { done, value } = counting.next();
    if (done === true) {
      print(context, period, value);
      return exitCode.done;
    }
    await timers.yield();
    if (terminal.signal.aborted) return exitCode.interrupted;
  }
}

function print({ output }: CommandContext, period: number, summary: AuditSummary): void {
  if (output.json) return output.value({ period: inHours(period), ...summary });
  const { paint } = output.out;
  output.line(paint('bold', `Audit Log Summary (Last ${inWords(period)})`));
  const parts = [['Events by Type', summary.by_type], ['Events by Level', summary.by_level], ['Events by Actor', summary.by_actor]] as const;
  for (const [title, counts] of parts) {
    output.line();
    output.line(paint('bold', `${title}:`));
    for (const [name, count] of Object.entries(counts)) output.line(`  ${printable(name)}: ${count}`);
    if (Object.keys(counts).length === 0) output.line('  (none)');
  }
}

const unitWords: Readonly<Record<string, string>> = { d: 'Day', h: 'Hour', m: 'Minute', s: 'Second' };

/** `24 Hours`, `7 Days`, `1 Hour`. */
function inWords(period: number): string {
  const short = inHours(period);
  const word = unitWords[short.slice(-1)];
  return word === undefined || short.endsWith('ms') ? short : `${parseInt(short, 10)} ${word}${parseInt(short, 10) === 1 ? '' : 's'}`;
}

/** A day is `24h`, as the API writes it. */
function inHours(period: number): string {
  return period === dayMs ? '24h' : formatDuration(period);
}
