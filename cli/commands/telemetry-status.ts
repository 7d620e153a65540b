/** `loki telemetry status`. */
import { exitCode } from '../../lib/errors.ts';
import { bytes } from '../../lib/app/doctor/check.ts';
import { newestOf, telemetryStatus, type DestinationStatus, type TelemetryStatus, type Waiting } from '../../lib/app/telemetry/status.ts';
import type { Command, CommandContext } from '../command.ts';
import { openToLook } from '../open.ts';
import { printable, type Output } from '../output.ts';
import { ago, count, dropsInWords, itemsInWords } from '../telemetry-words.ts';

export const command: Command = {
  about: 'Says whether telemetry is on and why, which process sends, what waits on disk and since when, how each receiver answered last, and what was dropped and why. It asks nobody over the network: loki doctor telemetry does.',
  operands: [],
  flags: [],
  examples: [['loki telemetry status', ''], ['loki telemetry status --json', 'for a program']],
  exits: [],
  run,
};

function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const installation = openToLook(context);
  const status = telemetryStatus(installation);
  if (output.json) output.value(status);
  else tell(status, installation.host.clock.now(), output);
  return Promise.resolve(exitCode.done);
}

function tell(status: TelemetryStatus, now: number, output: Output): void {
  const { paint } = output.out;
  output.line(`${paint('bold', 'telemetry')}: ${status.on ? paint('green', 'on') : `off: ${printable(status.off_because ?? '')}`}`);
  for (const problem of status.problems) output.line(`  ${paint('yellow', 'problem')}  ${printable(problem)}`);
  const { courier } = status;
  if (courier !== null) output.line(`sent by: ${printable(courier.kind)}, process ${courier.pid}, since ${ago(courier.since, now)}`);
  else if (status.on) output.line(`sent by: nobody now; ${status.sent_by_files ? 'a hook leaves somebody behind who sends' : 'the receiver is named by the environment alone: a control plane or session that has it sends, or: loki telemetry send'}`);
  if (status.on || status.handed_over.files > 0) output.line(`handed over: ${waitingInWords(status.handed_over, now)}`);
  for (const destination of status.destinations) tellDestination(destination, now, output);
  for (const { folder, ...waiting } of status.left_over) output.line(`left over: ${waitingInWords(waiting, now)} in ${printable(folder)}, of a receiver that is not configured any more; loki telemetry export takes it out`);
  if (status.as_of !== null) output.line(`delivered: ${itemsInWords(status.delivered)}${status.courier === null ? ` (as of ${ago(status.as_of, now)})` : ''}`);
  const drops = dropsInWords(status.dropped);
  if (status.as_of !== null) output.line(`dropped: ${drops.length === 0 ? 'nothing' : ''}`.trimEnd());
  for (const line of drops) output.line(`  ${line}`);
}

function tellDestination(destination: DestinationStatus, now: number, output: Output): void {
  const { paint } = output.out;
  const failing = destination.waiting.files > 0 ? 'what it does not take waits on disk' : 'it does not take what it is sent';
  const states = { direct: paint('green', 'it takes what comes'), spooling: paint('yellow', failing), unknown: 'not tried yet' } as const;
  output.line(`${paint('bold', printable(destination.name))} (${destination.signals.join(', ')}): ${states[wasTried(destination) ? destination.state : 'unknown']}`);
  output.line(`  waiting: ${waitingInWords(destination.waiting, now)}`);
  const [success, failure, warning] = [newestOf(destination, 'last_success'), newestOf(destination, 'last_failure'), newestOf(destination, 'last_warning')];
  if (success !== null) output.line(`  last success: ${ago(success.at, now)}, ${printable(success.words)}`);
  if (failure !== null) output.line(`  last failure: ${ago(failure.at, now)}, ${printable(failure.words)}${nextTry(destination, now)}`);
  if (warning !== null) output.line(`  last warning: ${ago(warning.at, now)}, ${printable(warning.words)}`);
  if (destination.disk !== null) output.line(`  disk: ${ago(destination.disk.at, now)}, ${printable(destination.disk.words)}`);
}

/** A courier takes a receiver for one that answers until it has tried it. */
function wasTried({ state, by_signal }: DestinationStatus): boolean {
  return state === 'spooling' || Object.values(by_signal).some(({ last_success, last_failure }) => last_success !== null || last_failure !== null);
}

function nextTry({ by_signal }: DestinationStatus, now: number): string {
  const next = Math.min(...Object.values(by_signal).flatMap(({ next_try }) => next_try ?? []));
  return Number.isFinite(next) && next > now ? `; next try in ${Math.ceil((next - now) / 1000)} s` : '';
}

function waitingInWords({ files, items, bytes: size, oldest }: Waiting, now: number): string {
  return files === 0 ? 'nothing' : `${count(items, 'item')} in ${count(files, 'file')}, ${bytes(size)}, the oldest of ${oldest === null ? 'unknown age' : ago(oldest, now)}`;
}
