/** `loki telemetry replay`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { resolveFrom } from '../../lib/base/paths.ts';
import type { Installation } from '../../lib/app/installation.ts';
import { openDestinations, type OpenDestinations } from '../../lib/app/telemetry/open-destinations.ts';
import { replay, type FileReplay, type ReplayReport, type ReplaySource } from '../../lib/app/telemetry/replay.ts';
import { receiversFor } from '../../lib/app/telemetry/replay-to.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { printable, type Output } from '../output.ts';
import { createProgress } from '../progress.ts';
import { count, dropsInWords, itemsInWords } from '../telemetry-words.ts';

/** How long a receiver that does not answer is waited for, at each line. */
const patienceMs = 30_000;

export const command: Command = {
  about: [
    'Sends OTLP files (.jsonl) to the receivers that are configured, or to the one that --to names: files of loki telemetry export, of file: as a receiver, or of a collector\'s file exporter. The receiver of --to gets the headers of OTEL_EXPORTER_OTLP_HEADERS and none of the configuration. Each line is one request, sent before the next, and nothing is left in the spool.',
    'A line that is no OTLP message is told by its number and passed over. Where a receiver cannot be reached the command ends, and says from which line to go on.',
  ].join('\n\n'),
  operands: [{ name: 'FILE', summary: 'An OTLP file: a message a line', required: true, repeated: true }],
  flags: [
    { name: 'to', kind: 'text', value: 'URL', summary: 'Base address of another OTLP/HTTP receiver' },
    { name: 'from-line', kind: 'integer', value: 'N', summary: 'Begin with this line of the first file (1)', least: 1, most: Number.MAX_SAFE_INTEGER },
    { name: 'dry-run', kind: 'switch', summary: 'Read and count, and send nothing' },
  ],
  examples: [
    ['loki telemetry replay /media/usb/*.jsonl', 'what was carried across an air gap'],
    ['loki telemetry replay --to http://localhost:4318 traces.jsonl', 'to a receiver that is not configured'],
    ['loki telemetry replay --dry-run traces.jsonl', 'what is in it'],
  ],
  exits: [[1, 'a line is no OTLP message, or a receiver refused some'], [8, 'a receiver cannot be reached; the rest is not sent'], [130, 'interrupted; the rest is not sent']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const installation = open(context);
  const isDry = args.on('dry-run');
  const receivers = isDry ? undefined : receiversFor(installation, args.text('to'));
  const sources = openSources(installation, args.operands('FILE'), args.number('from-line') ?? 1);
  const progress = createProgress(terminal.stderr, isDry ? 'reading' : 'sending', installation.host.clock, args.on('quiet'));
  let opened: OpenDestinations | undefined;
  try {
    const report = await replay(sources, {
      signal: terminal.signal, patienceMs, progress: (done, total) => progress.update(done, total),
      ...(receivers === undefined ? {} : { destinations: (countDrops) => (opened = openDestinations(installation, receivers, { countDrops, spools: false })).all }),
    });
    progress.end();
    const complaints = complaintsOf(opened);
    if (output.json) output.value({ ...report, complaints });
    else tell(report, complaints, isDry, output);
    return codeOf(report);
  } finally {
    progress.end();
    opened?.close();
    for (const { file } of sources) file.close();
  }
}

/** All of them are opened before anything is sent. */
function openSources({ host: { disk }, surroundings }: Installation, names: readonly string[], fromLine: number): readonly ReplaySource[] {
  return names.map((name, at) => {
    const path = disk.realpath(resolveFrom(surroundings.cwd, name));
    const file = path === undefined || disk.stat(path)?.kind !== 'file' ? undefined : disk.openRead(path);
    if (file === undefined) throw new LokiError('usage', { attempted: `read "${name}"`, found: 'there is no such file', hint: 'Name files of OTLP messages, one a line' });
    return { name, file, fromLine: at === 0 ? fromLine : 1 };
  });
}

function codeOf({ files, dropped, ended }: ReplayReport): number {
  if (ended === 'interrupted') return exitCode.interrupted;
  if (ended === 'unreachable') return exitCode.unreachable;
  return files.some(({ bad_lines }) => bad_lines > 0) || dropsInWords(dropped).length > 0 ? exitCode.failed : exitCode.done;
}

/** What a receiver last said of what it did not take. */
interface Complaint {
  readonly destination: string;
  readonly words: string;
}

function complaintsOf(opened: OpenDestinations | undefined): readonly Complaint[] {
  return (opened?.all ?? []).flatMap((destination) => {
    const { name, signals } = destination.stand();
    const [newest] = Object.values(signals).flatMap(({ lastFailure, lastWarning }) => [lastFailure ?? [], lastWarning ?? []].flat()).toSorted((a, b) => b.at - a.at);
    return newest === undefined ? [] : [{ destination: name, words: newest.words }];
  });
}

function tell({ files, dropped, ended }: ReplayReport, complaints: readonly Complaint[], isDry: boolean, output: Output): void {
  for (const file of files) tellFile(file, isDry, output);
  for (const line of dropsInWords(dropped)) output.warn(`not taken: ${line}`);
  for (const { destination, words } of complaints) output.warn(printable(`${destination}: ${words}`));
  const last = files.at(-1);
  if (ended === null || last === undefined || last.next_line === null) return;
  const why = ended === 'interrupted' ? 'Interrupted' : 'A receiver cannot be reached';
  output.message(`${why}. Go on with: loki telemetry replay --from-line ${last.next_line} ${printable(last.file)} …`);
}

function tellFile({ file, lines, items, bad, bad_lines, unwanted }: FileReplay, isDry: boolean, output: Output): void {
  output.line(`${printable(file)}: ${itemsInWords(items)} in ${count(lines, 'line')}${isDry ? '' : ' sent'}`);
  for (const { line, why } of bad) output.warn(`${printable(file)}:${line}: ${why}`);
  if (bad_lines > bad.length) output.warn(`${printable(file)}: ${bad_lines - bad.length} more lines are no OTLP messages`);
  if (unwanted > 0) output.warn(`${printable(file)}: ${count(unwanted, 'line')} of a signal that no receiver is configured for`);
}
