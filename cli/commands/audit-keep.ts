/** `loki audit keep`. */
import { exitCode } from '../../lib/errors.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { hasLog, keepOnce, nothingToKeep, type KeepReport } from '../../lib/app/audit/keeping.ts';
import type { Command, CommandContext } from '../command.ts';
import { openToLook } from '../open.ts';
import { printable, type Output } from '../output.ts';
import { createProgress } from '../progress.ts';

/** Another process that is at it is waited for so long. */
const waitMs = 30_000;

export const command: Command = {
  about: 'Looks after the log of record once: seals its finished files, compresses those whose day is over, removes those whose time is over (the settings retention_days and '
    + 'max_files), and sends receivers what they have not got. Processes that live long do this every hour, and others leave it behind when a day is over; '
    + 'running it from cron does no harm.\n\nA file whose chain does not hold is evidence: it is named, and stays as it is.',
  operands: [],
  flags: [],
  examples: [['loki audit keep', ''], ['loki audit keep --json', 'what was done, for a program']],
  exits: [[1, 'something was left as it is, and is named'], [130, 'interrupted; the next round goes on from there']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const installation = openToLook(context);
  const { clock } = installation.host;
  if (!hasLog(installation)) return tell(nothingToKeep, output, args.on('quiet'));
  const log = openRecord(installation, { keeps: true });
  const progress = createProgress(terminal.stderr, 'keeping', clock, args.on('quiet'));
  try {
    const report = await keepOnce(installation, log, { signal: terminal.signal, waitMs, onProgress: (_what, done, total) => progress.update(done, total) });
    progress.end();
    return tell(report, output, args.on('quiet'));
  } finally {
    progress.end();
    await log.close();
  }
}

const idle: Readonly<Record<Exclude<KeepReport['state'], 'done'>, string>> = {
  busy: 'Another process is looking after the log.',
  off: 'There is no log to look after.',
};

function tell(report: KeepReport, output: Output, isQuiet: boolean): number {
  const exit = report.problems.length > 0 ? exitCode.failed : exitCode.done;
  if (output.json) output.value(report);
  else {
    for (const { file, found } of report.problems) output.warn(`${printable(file)}: ${printable(found)}`);
    if (!isQuiet) for (const line of lines(report)) output.line(line);
  }
  return exit;
}

function lines(report: KeepReport): readonly string[] {
  if (report.state !== 'done') return [idle[report.state]];
  const { sealed, compressed, pruned, forwarded, problems } = report;
  const done = ([['sealed', sealed], ['compressed', compressed], ['pruned', pruned]] as const).filter(([, files]) => files.length > 0);
  const told = done.map(([what, files]) => `${what}: ${files.map(printable).join(', ')}`);
  if (forwarded !== null && forwarded > 0) told.push(`sent: ${forwarded} ${forwarded === 1 ? 'entry' : 'entries'}`);
  return told.length === 0 && problems.length === 0 ? ['Nothing to do: no finished file waits to be sealed, compressed or pruned.'] : told;
}
