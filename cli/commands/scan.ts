/** `loki scan`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { resolveFrom } from '../../lib/base/paths.ts';
import { readBaseline, writeBaseline } from '../../lib/app/scan/baseline.ts';
import { confidences, redactAll, scanTypes, type Confidence, type ScanType, type Wanted } from '../../lib/app/scan/look.ts';
import { sarifLog } from '../../lib/app/scan/sarif.ts';
import { lookThrough, scan, type Found, type ScanRequest } from '../../lib/app/scan/scan.ts';
import { readSource } from '../../lib/app/scan/sources.ts';
import { textOf } from '../../lib/app/scan/text.ts';
import { noTotals, type Totals } from '../../lib/app/scan/totals.ts';
import { version } from '../../lib/app/version.ts';
import { createHost } from '../../lib/host/host.ts';
import type { Host } from '../../lib/ports.ts';
import { allowedEnvironment } from '../../lib/runs/environment.ts';
import type { Command, CommandContext } from '../command.ts';
import { printable } from '../output.ts';
import { createProgress } from '../progress.ts';
import { findingLine, scanDocument, scanHint, shownPath, summaryLines } from '../scan-words.ts';

const megabyte = 1024 * 1024;
const usualLargest = 10;
const inputTimeoutMs = 600_000;

export const command: Command = {
  about: [
    'Looks for secrets and personal data in files, and says where they stand and what they are, never what was found. In a git repository it looks at the files that git tracks or would track; elsewhere at all below the directory. '
    + 'Binary files and links are passed over, and so are files that are too large: each is counted.',
    '--staged looks at the lines that are about to be committed, as the index holds them, for a pre-commit hook. --redact prints one file, or standard input, with everything found replaced; the file stays as it is.',
    'A comment loki:allow on the same line (gitleaks:allow and pragma: allowlist secret too) allows what stands there, and a baseline what was known before. Both count for this command alone: no policy believes them.',
  ].join('\n\n'),
  operands: [{ name: 'PATH', summary: 'Files and directories, or - for standard input; the working directory when left out', repeated: true }],
  flags: [
    { name: 'type', kind: 'text', value: 'TYPE', summary: 'What to look for (all)', choices: scanTypes },
    { name: 'min-confidence', kind: 'text', value: 'LEVEL', summary: 'The least sure to tell (medium; with --redact low)', choices: confidences },
    { name: 'staged', kind: 'switch', summary: 'Only lines that are about to be committed' },
    { name: 'redact', kind: 'switch', summary: 'Print the text of one file with everything found replaced' },
    { name: 'sarif', kind: 'switch', summary: 'Print the result as SARIF 2.1.0' },
    { name: 'baseline', kind: 'text', value: 'FILE', summary: 'Leave out what stands in this baseline' },
    { name: 'write-baseline', kind: 'text', value: 'FILE', summary: 'Write what is found to this baseline' },
    { name: 'max-size', kind: 'integer', value: 'MB', summary: `Pass over larger files (${usualLargest})`, least: 1, most: 256 },
  ],
  examples: [
    ['loki scan', 'the project at hand'],
    ['loki scan --staged', 'what is about to be committed'],
    ['loki scan src docs --type secrets --sarif', 'for a code host'],
    ['loki scan --write-baseline .loki-baseline.json', 'what is known and stays'],
    ['loki scan --baseline .loki-baseline.json', 'what is new since then'],
    ['loki scan --redact server.log', 'a log that can be given away'],
  ],
  exits: [[0, 'nothing found'], [1, 'something was found'], [7, 'nothing found, but some files could not be read'], [130, 'interrupted']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, terminal } = context;
  const paths = args.operands('PATH');
  refuseWhatDoesNotGoTogether(context);
  const host = createHost(() => terminal.homeDirectory);
  if (args.on('redact')) return printRedacted(context, host);
  const totals = noTotals();
  const found = paths[0] === '-' ? await findInInput(context, host, totals) : await findInFiles(context, host, totals);
  return conclude(context, host, found, totals);
}

function refuseWhatDoesNotGoTogether({ args }: CommandContext): void {
  const paths = args.operands('PATH');
  const both = (one: string, other: string): boolean => args.on(one) && args.on(other);
  const problem = both('json', 'sarif') ? '--json and --sarif are two forms of one result'
    : paths.includes('-') && (paths.length > 1 || args.on('staged')) ? 'standard input is scanned alone'
    : args.on('redact') && (paths.length !== 1 || ['staged', 'json', 'sarif', 'baseline', 'write-baseline'].some((name) => args.on(name))) ? '--redact takes one file or -, and of the other flags only --type, --min-confidence and --max-size'
    : both('baseline', 'write-baseline') ? '--write-baseline writes everything that is found, so it goes without --baseline'
    : undefined;
  if (problem !== undefined) throw new LokiError('usage', { attempted: 'scan', found: problem, hint: 'See: loki scan --help' });
}

function wantedOf({ args }: CommandContext, least: Confidence): Wanted {
  const type = scanTypes.find((each): each is ScanType => each === args.text('type')) ?? 'all';
  return { type, least: confidences.find((each) => each === args.text('min-confidence')) ?? least };
}

function largestOf({ args }: CommandContext): number {
  return (args.number('max-size') ?? usualLargest) * megabyte;
}

/** The directory that paths are taken from. */
function baseOf({ args, terminal }: CommandContext, host: Host): string {
  const base = resolveFrom(terminal.cwd, args.text('project') ?? '.');
  return host.disk.realpath(base) ?? base;
}

function requestOf(context: CommandContext, host: Host): ScanRequest {
  const { args, terminal } = context;
  const cwd = baseOf(context, host);
  const named = args.operands('PATH');
  const baseline = args.text('baseline');
  return {
    ...wantedOf(context, 'medium'), cwd, staged: args.on('staged'), largest: largestOf(context),
    paths: args.on('staged') ? named.map((name) => resolveFrom(cwd, name)) : named.length === 0 ? ['.'] : named,
    env: { ...allowedEnvironment(terminal.env), ...(args.on('staged') ? ofHook(context) : {}) },
    ...(baseline === undefined ? {} : { baseline: readBaseline(host.disk, resolveFrom(terminal.cwd, baseline)) }),
  };
}

/** What git tells its hooks: a commit of some files only has an index of its own. */
function ofHook({ terminal }: CommandContext): Readonly<Record<string, string>> {
  const named = ['GIT_INDEX_FILE', 'GIT_DIR', 'GIT_WORK_TREE'].map((name) => [name, terminal.env[name] ?? ''] as const);
  return Object.fromEntries(named.filter(([, path]) => path !== '').map(([name, path]) => [name, resolveFrom(terminal.cwd, path)]));
}

async function findInFiles(context: CommandContext, host: Host, totals: Totals): Promise<readonly Found[]> {
  const { args, output, terminal } = context;
  const request = requestOf(context, host);
  const progress = createProgress(terminal.stderr, 'scanning', host.clock, args.on('quiet'));
  const all: Found[] = [];
  try {
    for await (const found of scan(host, request, totals, { signal: terminal.signal, progress: (done, total) => progress.update(done, total) })) {
      for (const each of found) all.push(each);
      if (!isDocument(context)) for (const each of found) output.line(findingLine(each, request.cwd, output.out));
    }
  } finally {
    progress.end();
  }
  return all;
}

async function findInInput(context: CommandContext, host: Host, totals: Totals): Promise<readonly Found[]> {
  const { output } = context;
  const request = requestOf(context, host);
  const text = await readInput(context);
  if (text === undefined) totals.skipped.binary += 1;
  const found = text === undefined ? [] : lookThrough([{ path: '-', line: 1, text }], request, totals);
  if (!isDocument(context)) for (const each of found) output.line(findingLine(each, request.cwd, output.out));
  return found;
}

async function readInput(context: CommandContext): Promise<string | undefined> {
  const largest = largestOf(context);
  const { bytes, ended } = await context.terminal.readInput(largest, inputTimeoutMs);
  if (ended === 'limit') throw new LokiError('request.large', { attempted: 'scan standard input', found: `it is longer than ${largest / megabyte} MB`, hint: 'Allow more with --max-size, or give it in parts' });
  if (ended === 'timeout') throw new LokiError('usage', { attempted: 'scan standard input', found: 'it did not end' });
  return textOf(bytes);
}

/** Found things are printed as they come, unless the result is one document. */
function isDocument({ args, output }: CommandContext): boolean {
  return output.json || args.on('sarif') || args.on('write-baseline');
}

function conclude(context: CommandContext, host: Host, found: readonly Found[], totals: Totals): number {
  const { args, output, terminal } = context;
  const base = baseOf(context, host);
  const baseline = args.text('write-baseline');
  if (args.on('sarif')) output.value(sarifLog(found, base, version));
  else if (output.json) output.value(scanDocument(found, totals, base));
  if (baseline !== undefined) {
    const written = writeBaseline(host.disk, resolveFrom(terminal.cwd, baseline), found);
    output.note(`${written} ${written === 1 ? 'entry' : 'entries'} written to the baseline ${printable(baseline)}.`);
  }
  for (const line of summaryLines(found, totals, base, output.err)) output.note(line);
  for (const { path, because } of totals.skipped.unreadable) output.warn(`not read: ${shownPath(path, base)}: ${printable(because)}`);
  if (found.length > 0 && baseline === undefined) {
    output.note(scanHint(output.err));
    return exitCode.failed;
  }
  return totals.skipped.unreadable.length > 0 ? exitCode.incomplete : exitCode.done;
}

async function printRedacted(context: CommandContext, host: Host): Promise<number> {
  const { args, output, terminal } = context;
  const [name = ''] = args.operands('PATH');
  const text = name === '-' ? await readInput(context) : fileText(context, host, name);
  if (text === undefined) throw new LokiError('usage', { attempted: `redact "${name}"`, found: 'it is binary', hint: 'Name a text file' });
  const { text: clean, count } = redactAll(text, wantedOf(context, 'low'));
  terminal.stdout.write(clean);
  output.note(`${count} ${count === 1 ? 'finding' : 'findings'} replaced.`);
  return exitCode.done;
}

function fileText(context: CommandContext, host: Host, name: string): string | undefined {
  const path = host.disk.realpath(resolveFrom(baseOf(context, host), name));
  const stat = path === undefined ? undefined : host.disk.stat(path);
  if (path === undefined || stat?.kind !== 'file') throw new LokiError('not_found', { attempted: `redact "${name}"`, found: 'there is no such file', hint: 'Name one text file, or - for standard input' });
  const totals = noTotals();
  const source = readSource(host.disk, { path, size: stat.size }, largestOf(context), totals.skipped);
  if (totals.skipped.large.length > 0) throw new LokiError('request.large', { attempted: `redact "${name}"`, found: `it has ${stat.size} bytes`, hint: 'Allow more with --max-size' });
  const [unread] = totals.skipped.unreadable;
  if (unread !== undefined) throw new LokiError('io.failed', { attempted: `redact "${name}"`, found: unread.because });
  return source?.text;
}
