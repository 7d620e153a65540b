/** `loki telemetry export`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { resolveFrom } from '../../lib/base/paths.ts';
import { bytes } from '../../lib/app/doctor/check.ts';
import { signals } from '../../lib/app/telemetry/account.ts';
import { takeOut, type TakeOutReport, type TakeOutRequest, type TakeOutTarget } from '../../lib/app/telemetry/take-out.ts';
import type { Command, CommandContext } from '../command.ts';
import { openToLook } from '../open.ts';
import { printable, type Output } from '../output.ts';
import { count, itemsInWords } from '../telemetry-words.ts';

export const command: Command = {
  about: [
    'Takes out what waits on disk for a receiver, as OTLP files: one signal a file (.jsonl), a batch a line, readable by their owner alone. A collector\'s otlp_json_file receiver reads them, and loki telemetry replay sends them from a machine that reaches a receiver.',
    'What was taken out also stays in the spool and is sent when a receiver answers, unless --remove is given. The files of one signal go to standard output with --output -.',
  ].join('\n\n'),
  operands: [],
  flags: [
    { name: 'output', short: 'o', kind: 'text', value: 'PLACE', summary: 'A folder, a file ending in .jsonl for one signal, or - for standard output (this folder)' },
    { name: 'signal', kind: 'text', value: 'SIGNAL', summary: 'Only this signal', choices: signals },
    { name: 'since', kind: 'duration', value: 'TIME', summary: 'Only what was made within so long: 24h, 7d' },
    { name: 'remove', kind: 'switch', summary: 'Remove from the spool what was taken out, so that it is not sent as well' },
  ],
  examples: [
    ['loki telemetry export --output /media/usb --remove', 'carry everything across an air gap'],
    ['loki telemetry export --signal traces --since 24h --output - | head -n 1', 'a look at what would be sent'],
  ],
  exits: [],
  run,
};

function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = openToLook(context);
  const request = requestOf(context, installation.host.clock.now());
  const report = takeOut(installation, request, targetOf(context, request), args.on('remove'));
  const toOutput = args.text('output') === '-';
  if (!toOutput && output.json) output.value(report);
  else if (!toOutput) tell(report, output);
  if (report.damaged > 0) output.warn(`${count(report.damaged, 'file')} of the spool ${report.damaged === 1 ? 'holds' : 'hold'} no batch and ${report.damaged === 1 ? 'was' : 'were'} left out`);
  return Promise.resolve(exitCode.done);
}

function requestOf({ args }: CommandContext, now: number): TakeOutRequest {
  const since = args.number('since');
  const signal = signals.find((one) => one === args.text('signal'));
  return { ...(signal === undefined ? {} : { signal }), ...(since === undefined ? {} : { since: now - since }) };
}

function targetOf({ args, terminal, output }: CommandContext, { signal }: TakeOutRequest): TakeOutTarget {
  const place = args.text('output') ?? '.';
  const isFile = place.endsWith('.jsonl');
  if ((place === '-' || isFile) && signal === undefined) throw usage(`--output ${printable(place)} is one file, and a file is of one signal`, `Add --signal ${signals.join(', or ')}, or name a folder`);
  // Whoever reads it may stop at any line, and what was removed is nowhere then.
  if (place === '-' && args.on('remove')) throw usage('--output - and --remove: nobody can say whether all of it was read', 'Name a file or folder, or leave --remove out');
  if (place === '-' && output.json) throw usage('--json and --output - both want standard output', 'Name a file or folder');
  if (place === '-') return { write: (line) => terminal.stdout.write(line) };
  return isFile ? { file: resolveFrom(terminal.cwd, place) } : { folder: resolveFrom(terminal.cwd, place) };
}

function tell({ files, removed }: TakeOutReport, output: Output): void {
  if (files.length === 0) output.line('Nothing waits.');
  for (const { signal, file, batches, items, bytes: size } of files) {
    output.line(`${printable(file ?? '')}: ${itemsInWords({ [signal]: items })} in ${count(batches, 'line')}, ${bytes(size)}`);
  }
  if (removed > 0) output.note(`${count(removed, 'file')} removed from the spool`);
  else if (files.length > 0) output.note('It stays in the spool as well; --remove takes it from there.');
}

function usage(found: string, hint: string): LokiError {
  return new LokiError('usage', { attempted: 'take out telemetry', found, hint });
}
