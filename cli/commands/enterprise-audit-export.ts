/** `loki enterprise audit export`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { bytes } from '../../lib/app/doctor/check.ts';
import { openRecord, type OpenLog } from '../../lib/app/audit/record.ts';
import { exportAsStream, exportToFile, type ExportRequest } from '../../lib/app/audit/export.ts';
import type { Installation } from '../../lib/app/installation.ts';
import { exportFormats, isExportFormat } from '../../lib/audit/export/render.ts';
import { subjectName } from '../../lib/audit/query/filter.ts';
import { resolveFrom } from '../../lib/base/paths.ts';
import { searchFilter, searchFlags, subjectFlag } from '../audit-filter.ts';
import type { Command, CommandContext } from '../command.ts';
import { noteUnread } from '../entries.ts';
import { actorOf, open } from '../open.ts';
import { printable } from '../output.ts';
import { createProgress } from '../progress.ts';

export const command: Command = {
  about: [
    'Takes entries out of the log of record, the oldest first: as they stand (json, jsonl), as a table (csv), or as a SIEM takes them (cef, ocsf).',
    'With --output a file is written, for its owner alone; it appears only when it is whole and the export is recorded. Without it the export goes to standard output. Every export is recorded as audit.export.',
    '--subject answers a person\'s request for access to the records about them: what they did, and what names them.',
    'In csv a cell that a spreadsheet would take for a formula gets an apostrophe in front. jsonl is the log\'s lines byte for byte, unless entries are encrypted: those are written as they read.',
  ].join('\n\n'),
  operands: [],
  flags: [
    { name: 'output', short: 'o', kind: 'text', value: 'FILE', summary: 'Write this file instead of standard output' },
    { name: 'format', kind: 'text', value: 'FORMAT', summary: `${exportFormats.join(', ')} (json)`, choices: exportFormats },
    { name: 'force', kind: 'switch', summary: 'Replace the file when it exists' },
    subjectFlag,
    { name: 'request', kind: 'text', value: 'ID', summary: 'The number of the request that this answers, for the record' },
    ...searchFlags,
    { name: 'raw-csv', kind: 'switch', summary: 'Leave cells that look like formulas as they are' },
  ],
  examples: [
    ['loki enterprise audit export --output audit-export.json', 'everything'],
    ['loki enterprise audit export --from 2026-01-01 --level error --output errors.json', 'what matches the filters'],
    ['loki enterprise audit export --format csv --output audit.csv', 'for a spreadsheet'],
    ['loki enterprise audit export --format ocsf --from 24h', 'events of the last day, for a SIEM'],
    ['loki enterprise audit export --subject alice --request DSR-17 --output alice.json', 'an answer to a request for access'],
  ],
  exits: [[7, 'a file of the log cannot be read'], [130, 'interrupted: there is no file']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args } = context;
  const installation = open(context);
  const request = requestOf(context, installation);
  const path = args.text('output');
  if (path === undefined && args.on('force')) throw usage('--force is of no use without --output');
  const log = openRecord(installation);
  try {
    return path === undefined ? await toOutput(context, installation, log, request) : await toFile(context, installation, log, request, path);
  } finally {
    await log.close();
  }
}

function requestOf({ args }: CommandContext, installation: Installation): ExportRequest {
  const format = args.text('format') ?? 'json';
  if (!isExportFormat(format)) throw usage(`--format is one of ${exportFormats.join(', ')}`);
  const rawCsv = args.on('raw-csv');
  if (rawCsv && format !== 'csv') throw usage('--raw-csv is of no use without --format csv');
  const subject = args.text('subject');
  const request = args.text('request');
  const filter = searchFilter(args, 'export the log', installation.host.clock.now());
  return {
    format, by: actorOf(installation), rawCsv, ...(request === undefined ? {} : { request }),
    filter: subject === undefined ? filter : { ...filter, subject: subjectName(subject) },
  };
}

async function toFile({ args, output, terminal }: CommandContext, installation: Installation, log: OpenLog, request: ExportRequest, path: string): Promise<number> {
  const progress = createProgress(terminal.stderr, 'export', installation.host.clock, args.on('quiet'));
  const target = { path: resolveFrom(terminal.cwd, path), replace: args.on('force') };
  const report = await exportToFile(installation, log.record, request, target, { signal: terminal.signal, progress: (done, total) => progress.update(done, total) }).finally(() => progress.end());
  if (output.json) output.value(report);
  else output.line(`${report.entries} ${report.entries === 1 ? 'entry' : 'entries'} written to ${printable(path)} (${request.format}, ${bytes(report.bytes)}, sha256 ${report.sha256})`);
  const { subject } = request.filter;
  if (report.entries === 0) output.note(subject === undefined ? 'Nothing matches the filters.' : `Nothing in the log of record is about ${printable(subject)}, as far as it can be read here.`);
  if (report.unread !== undefined) noteUnread(report.unread, output);
  return exitCode.done;
}

async function toOutput({ output, terminal }: CommandContext, installation: Installation, log: OpenLog, request: ExportRequest): Promise<number> {
  try {
    for await (const part of await exportAsStream(installation, log.record, request, { signal: terminal.signal, unread: (unread) => noteUnread(unread, output) })) terminal.stdout.write(Buffer.from(part).toString('utf8'));
  } catch (error) {
    // Whoever read it has enough.
    if (terminal.signal.reason === 'closed') return exitCode.done;
    throw error;
  }
  return exitCode.done;
}

function usage(found: string): LokiError {
  return new LokiError('usage', { attempted: 'export the log', found, hint: 'See: loki enterprise audit export --help' });
}
