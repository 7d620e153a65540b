/** `loki telemetry send`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { sendOnce, type SendReport } from '../../lib/app/telemetry/send.ts';
import { nobodyAsked, resolveTelemetry, type TelemetrySettings } from '../../lib/app/telemetry/settings.ts';
import type { Command, CommandContext } from '../command.ts';
import { openToLook } from '../open.ts';
import { printable, type Output } from '../output.ts';
import { count, dropsInWords } from '../telemetry-words.ts';

/** A receiver that does not answer within that is tried again later; with --all it is waited for. */
const patienceMs = { lingering: 5_000, usual: 30_000, all: 10 * 60_000 } as const;

export const command: Command = {
  about: 'Sends receivers what hooks and commands handed over, and what waits since a receiver was away. Processes that live long do so by themselves, and hooks leave this command behind; running it from cron does no harm.',
  operands: [],
  flags: [
    { name: 'linger', kind: 'duration', value: 'TIME', summary: 'Go on for so long with what is handed over meanwhile' },
    { name: 'all', kind: 'switch', summary: 'Wait up to ten minutes for a receiver that does not answer' },
  ],
  examples: [['loki telemetry send', ''], ['loki telemetry send --all', 'before a machine is taken away'], ['loki telemetry send --json', 'what was sent, for a program']],
  exits: [[1, 'a receiver refused some, or something else was dropped'], [8, 'a receiver has not got everything; it is tried again later']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const installation = openToLook(context);
  const settings = resolveTelemetry(installation);
  if (!settings.isOn) throw whyOff(settings);
  const lingerMs = args.number('linger') ?? 0;
  const deadlineMs = args.on('all') ? patienceMs.all : lingerMs > 0 ? patienceMs.lingering : patienceMs.usual;
  const report = await sendOnce(installation, settings, { lingerMs, deadlineMs, signal: terminal.signal });
  if (report === undefined) return busy(output, args.on('quiet'));
  if (output.json) output.value({ busy: false, ...report });
  else if (!args.on('quiet')) tell(report, output);
  if (report.problems.length > 0 || report.destinations.some(({ waiting }) => waiting > 0)) return exitCode.unreachable;
  return dropsInWords(report.dropped).length > 0 ? exitCode.failed : exitCode.done;
}

function whyOff({ offBecause, problems }: TelemetrySettings): LokiError {
  const hint = offBecause === nobodyAsked ? 'Set enterprise.telemetry.endpoint in LOKI_HOME/config.yaml, or LOKI_OTEL_ENDPOINT' : problems.find((each) => each.hint !== undefined)?.hint ?? 'Change the setting that says so: loki doctor telemetry';
  return new LokiError('config.invalid', { attempted: 'send telemetry', found: [`it is off: ${offBecause ?? ''}`, ...problems.map(({ message }) => message)].join('; '), hint });
}

function busy(output: Output, quiet: boolean): number {
  if (output.json) output.value({ busy: true });
  else if (!quiet) output.line('Another process is sending: loki telemetry status');
  return exitCode.done;
}

function tell({ taken_over, destinations, dropped, problems }: SendReport, output: Output): void {
  if (taken_over > 0) output.note(`${count(taken_over, 'batch', 'batches')} taken over from other processes`);
  for (const { destination, delivered, waiting, why } of destinations) {
    output.line(`${output.out.paint('bold', printable(destination))}: ${count(delivered, 'item')} sent${waiting === 0 ? '' : `, ${waiting} waiting`}${why === null ? '' : `; ${printable(why)}`}`);
  }
  for (const problem of problems) output.warn(printable(problem));
  for (const line of dropsInWords(dropped)) output.warn(`dropped: ${line}`);
}
