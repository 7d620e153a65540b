/** `loki audit verify`. */
import { errorMeanings, exitCode } from '../../lib/errors.ts';
import { join } from '../../lib/base/paths.ts';
import type { ChainReport, Verdict } from '../../lib/audit/verify.ts';
import { worst } from '../../lib/audit/verify.ts';
import { verifyAll, verifyDocument, type VerifyReport } from '../../lib/app/verify.ts';
import type { Command, CommandContext } from '../command.ts';
import { openToLook } from '../open.ts';
import { columns, printable, type Colour, type Output } from '../output.ts';
import { createProgress } from '../progress.ts';

export const command: Command = {
  about: 'Reads every chain of records byte by byte and says whether anything in it was edited, deleted, inserted or moved, with the file, the line and '
    + 'the sequence number: the log of record, and the agent chain of every enrolled project.\n\nA chain alone cannot show that its newest entries were '
    + 'cut off cleanly, or that all of it was written anew.',
  operands: [],
  flags: [{ name: 'log', kind: 'text', value: 'PATH', summary: 'Only this log file, or the log in this directory' }],
  examples: [
    ['loki audit verify', 'every chain'],
    ['loki audit verify --log ~/.loki/dashboard/audit/audit-2026-02-15.jsonl', 'one file by itself'],
    ['loki audit verify --json', 'the verdict for a program'],
  ],
  exits: [[0, 'everything fits'], [6, 'tampering found'], [7, 'incomplete (a torn tail, missing oldest entries), or written without chain hashes']],
  run,
};

/** What a verdict means to a shell and to a person. */
interface Meaning {
  readonly exit: number;
  readonly word: string;
  readonly colour: Colour;
  readonly sentence: string;
  readonly hint?: string;
}

const meanings: Readonly<Record<Verdict, Meaning>> = {
  ok: { exit: exitCode.done, word: 'ok', colour: 'green', sentence: 'Every record is as it was written' },
  incomplete: { exit: exitCode.incomplete, word: 'incomplete', colour: 'yellow', sentence: 'Nothing contradicts, but records are missing', hint: errorMeanings['audit.incomplete'].hint },
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
  const { args, terminal } = context;
  const installation = openToLook(context);
  const progress = createProgress(terminal.stderr, 'verifying', installation.host.clock, args.on('quiet'));
  const log = args.text('log');
  try {
    const report = await verifyAll(installation, {
      signal: terminal.signal, onProgress: (_chain, done, total) => progress.update(done, total), ...(log === undefined ? {} : { log }),
    });
    return log === undefined ? report : alone(report);
  } finally {
    progress.end();
  }
}

/** A file that is looked at by itself may begin anywhere: what came before it is not asked about. */
function alone(report: VerifyReport): VerifyReport {
  const chains = report.chains.map((chain): ChainReport => {
    const breaks = chain.breaks.filter(({ cause }) => cause !== 'oldest entries missing');
    return chain.files.length !== 1 || breaks.length > 0 ? chain : { ...chain, breaks, verdict: 'ok', valid: true };
  });
  const verdict = worst(chains.map((chain) => chain.verdict));
  return { chains, verdict, valid: verdict === 'ok' };
}

function tell({ verdict, chains }: VerifyReport, output: Output): void {
  const { paint } = output.out;
  const rows = columns(chains.map((chain) => [printable(chain.chain), meanings[chain.verdict].word, extent(chain)]));
  chains.forEach((chain, at) => {
    output.line(paint(meanings[chain.verdict].colour, rows[at] ?? ''));
    for (const { file, line, seq, offset, cause, found } of chain.breaks) {
      output.line(`  ${printable(join(chain.directory, file))} line ${line} (${seq === null ? '' : `seq ${seq}, `}byte ${offset}): ${paint('bold', cause)}: ${printable(found)}`);
    }
  });
  const entries = chains.reduce((sum, chain) => sum + chain.entries_checked, 0);
  output.line();
  output.line(paint(meanings[verdict].colour, `${meanings[verdict].sentence}${verdict === 'ok' ? ` (${counted(entries)})` : ''}.`));
}

function extent({ entries_checked, files, first_seq, last_seq }: ChainReport): string {
  if (entries_checked === 0) return 'nothing recorded';
  const where = files.length === 1 ? (files[0] ?? '') : `${files.length} files`;
  return `${counted(entries_checked)}, seq ${first_seq ?? '?'} to ${last_seq ?? '?'}, in ${where}`;
}

function counted(entries: number): string {
  return `${entries} ${entries === 1 ? 'entry' : 'entries'}`;
}
