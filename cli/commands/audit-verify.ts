/** `loki audit verify`. */
import { errorMeanings, exitCode, LokiError, messageOf } from '../../lib/errors.ts';
import { splitNotes } from '../../lib/base/merkle/checkpoint.ts';
import { join, resolveFrom } from '../../lib/base/paths.ts';
import type { ChainReport, CheckpointReport, Verdict } from '../../lib/audit/verify.ts';
import { worst } from '../../lib/audit/verify.ts';
import { openRecord, type OpenLog } from '../../lib/app/audit/record.ts';
import type { Installation } from '../../lib/app/installation.ts';
import type { Recorder } from '../../lib/audit/entry.ts';
import { verifyAll, verifyDocument, type VerifyReport } from '../../lib/app/audit/verify.ts';
import type { BroughtNote } from '../../lib/app/audit/verify-proofs.ts';
import type { Command, CommandContext } from '../command.ts';
import { actorOf, openToLook } from '../open.ts';
import { columns, printable, type Colour, type Output } from '../output.ts';
import { createProgress } from '../progress.ts';

export const command: Command = {
  about: 'Reads every chain of records byte by byte and says whether anything in it was edited, deleted, inserted or moved, with the file, the line and '
    + 'the sequence number: the log of record, and the agent chain of every enrolled project. Then holds each against its newest signed checkpoint, which shows that '
    + 'nothing before it was cut off or written anew by somebody without the key.\n\nFiles that have not changed since they were last found to be good are not read again; '
    + '--full reads everything. A checkpoint that was kept elsewhere, given with --against, shows what happened since even where the key was stolen. The verification is itself recorded.',
  operands: [],
  flags: [
    { name: 'log', kind: 'text', value: 'PATH', summary: 'Only this log file, or the log in this directory' },
    { name: 'against', kind: 'text', value: 'FILE', repeated: true, summary: 'Hold the chains against the checkpoints in this file ("-": standard input)' },
    { name: 'vkey', kind: 'text', value: 'KEY', repeated: true, summary: 'Believe checkpoints that this public key signed, too' },
    { name: 'full', kind: 'switch', summary: 'Read every file again, also those that have not changed' },
  ],
  examples: [
    ['loki audit verify', 'every chain'],
    ['loki audit verify --full --against /mnt/auditor/checkpoint', 'all of it, against a checkpoint kept elsewhere'],
    ['loki audit verify --log ~/.loki/dashboard/audit/audit-2026-02-15.jsonl', 'one file by itself'],
    ['loki audit verify --json', 'the verdict for a program'],
  ],
  exits: [[0, 'everything fits'], [6, 'tampering found'], [7, 'incomplete (a torn tail, missing oldest entries, a missing checkpoint), or written without chain hashes']],
  run,
};

/** Far more checkpoints than anybody keeps. */
const largestFile = 1 << 24;
const inputTimeoutMs = 60_000;

/** What a verdict means to a shell and to a person. */
interface Meaning {
  readonly exit: number;
  readonly word: string;
  readonly colour: Colour;
  readonly sentence: string;
  readonly hint?: string;
}

const meanings: Readonly<Record<Verdict, Meaning>> = {
  ok: { exit: exitCode.done, word: 'ok', colour: 'green', sentence: 'No change was found' },
  incomplete: { exit: exitCode.incomplete, word: 'incomplete', colour: 'yellow', sentence: 'Nothing contradicts, but the records are not complete', hint: errorMeanings['audit.incomplete'].hint },
  no_integrity: { exit: exitCode.incomplete, word: 'no integrity', colour: 'yellow', sentence: 'Records were written without chain hashes: edits in them cannot be seen' },
  tampered: { exit: exitCode.tampered, word: 'TAMPERED', colour: 'red', sentence: 'The records were TAMPERED WITH', hint: errorMeanings['audit.tampered'].hint },
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const report = await check(context);
  const { exit, hint } = meanings[report.verdict];
  if (output.json) output.value(verifyDocument(report));
  else tell(report, output);
  if (!output.json && hint !== undefined) output.note(`${output.err.paint('cyan', 'hint:')} ${hint}`);
  return exit;
}

async function check(context: CommandContext): Promise<VerifyReport> {
  const { args, terminal, output } = context;
  const installation = openToLook(context);
  const against = await broughtNotes(context, installation);
  const progress = createProgress(terminal.stderr, 'verifying', installation.host.clock, args.on('quiet'));
  const log = args.text('log');
  let record: OpenLog | undefined;
  // Who may read the log need not be able to write it.
  const recorder: Recorder = async (...args) => (record ??= openRecord(installation)).record(...args);
  try {
    const report = await verifyAll(installation, {
      signal: terminal.signal, onProgress: (_chain, done, total) => progress.update(done, total), full: args.on('full'), against, vkeys: args.list('vkey'),
      record: recorder, actor: actorOf(installation), onUnrecorded: (error) => { progress.end(); output.note(`This verification could not be recorded: ${messageOf(error)}`); },
      ...(log === undefined ? {} : { log }),
    });
    return log === undefined ? report : alone(report);
  } finally {
    progress.end();
    await record?.close();
  }
}

/** The checkpoints in the files that were named. */
async function broughtNotes({ args, terminal }: CommandContext, { host: { disk }, surroundings }: Installation): Promise<readonly BroughtNote[]> {
  const found: BroughtNote[] = [];
  for (const name of args.list('against')) {
    const bytes = name === '-' ? (await terminal.readInput(largestFile, inputTimeoutMs)).bytes : disk.read(resolveFrom(surroundings.cwd, name), largestFile);
    const from = name === '-' ? 'standard input' : name;
    const notes = bytes === undefined ? [] : splitNotes(Buffer.from(bytes).toString('utf8'));
    if (notes.length === 0) {
      throw new LokiError('usage', { attempted: `verify against "${from}"`, found: bytes === undefined ? 'there is no such file' : 'it holds no signed checkpoint', hint: 'Give a file that loki audit checkpoint has written' });
    }
    found.push(...notes.map((note) => ({ from, note })));
  }
  return found;
}

/** A file that is looked at by itself may begin anywhere: what came before it is not asked about. Of a directory it is. */
function alone(report: VerifyReport): VerifyReport {
  const chains = report.chains.map((chain): ChainReport => {
    const isDirectory = chain.chain === chain.directory;
    const breaks = chain.breaks.filter(({ cause, line }) => cause !== 'oldest entries missing' || line !== 1);
    return isDirectory || breaks.length > 0 ? chain : { ...chain, breaks, verdict: 'ok', valid: true };
  });
  const verdict = worst(chains.map((chain) => chain.verdict));
  return { ...report, chains, verdict, valid: verdict === 'ok' };
}

function tell({ verdict, chains, since }: VerifyReport, output: Output): void {
  const { paint } = output.out;
  const rows = columns(chains.map((chain) => [printable(chain.chain), meanings[chain.verdict].word, extent(chain)]));
  chains.forEach((chain, at) => {
    output.line(paint(meanings[chain.verdict].colour, rows[at] ?? ''));
    for (const line of proofLines(chain)) output.line(`  ${printable(line)}`);
    for (const { file, line, seq, offset, cause, found } of chain.breaks) {
      output.line(`  ${printable(join(chain.directory, file))} line ${line} (${seq === null ? '' : `seq ${seq}, `}byte ${offset}): ${paint('bold', cause)}: ${printable(found)}`);
    }
  });
  const known = chains.reduce((sum, chain) => sum + chain.entries_known, 0);
  const entries = chains.reduce((sum, chain) => sum + chain.entries_checked, 0);
  output.line();
  if (since !== null) output.line(`${counted(known)} of these stand in files that have not changed since they were verified at ${since}; --full reads them again.`);
  if (verdict === 'ok' && entries === 0) return output.line('Nothing is recorded yet.');
  output.line(paint(meanings[verdict].colour, `${meanings[verdict].sentence}${verdict === 'ok' ? ` (${counted(entries)})` : ''}.`));
  if (verdict === 'ok') output.line(bounds(chains));
}

/** How far an `ok` goes, and what would take it further (docs/threat-model.md has the whole table). */
function bounds(chains: readonly ChainReport[]): string {
  if (chains.some(({ against }) => against.some(({ verified }) => verified))) return 'What the checkpoints given with --against cover is as it was when they were signed, whoever had the key since.';
  const holds = 'Give one that was kept elsewhere with --against: it holds against them as well.';
  if (chains.some(({ checkpoint }) => checkpoint?.verified === true)) return `That holds against whoever has not got the signing key, and up to the newest checkpoint. Who can use LOKI_HOME/keys could sign other records. ${holds}`;
  return 'A chain has no secret: who can write these files could have written all of them anew, or cut off their end. A checkpoint shows that (loki audit checkpoint), when it is kept elsewhere and given with --against.';
}

/** What vouches for a chain, in words. */
function proofLines({ checkpoint, against, unsealed, pruned, notes, entries_checked, verdict }: ChainReport): readonly string[] {
  const after = unsealed === null || unsealed === 0 ? '' : `; ${counted(unsealed)} after it ${unsealed === 1 ? 'is' : 'are'} not signed yet`;
  return [
    ...(pruned === null ? [] : [`seq ${pruned.first_seq} to ${pruned.last_seq} were pruned, as a signed statement of ${pruned.time} says`]),
    ...(checkpoint?.verified === true ? [`the checkpoint over ${counted(checkpoint.size)} holds${after}`] : []),
    ...(verdict === 'ok' && checkpoint === null && entries_checked > 0 && against.length === 0 ? ['no checkpoint: its chain alone holds it'] : []),
    ...against.filter(({ verified }) => verified).map(brought),
    ...notes,
  ];
}

function brought({ from, size }: CheckpointReport): string {
  return `since the checkpoint ${from === 'standard input' ? 'from' : 'in'} ${from} nothing of the first ${counted(size)} was cut or rewritten`;
}

function extent({ entries_checked, files, first_seq, last_seq }: ChainReport): string {
  if (entries_checked === 0) return 'nothing recorded';
  const where = files.length === 1 ? (files[0] ?? '') : `${files.length} files`;
  return `${counted(entries_checked)}, seq ${first_seq ?? '?'} to ${last_seq ?? '?'}, in ${where}`;
}

function counted(entries: number): string {
  return `${entries} ${entries === 1 ? 'entry' : 'entries'}`;
}
