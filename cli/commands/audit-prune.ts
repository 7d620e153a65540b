/** `loki audit prune`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { formatDuration } from '../../lib/base/duration.ts';
import { provenRecorder } from '../../lib/app/approver.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import type { Installation } from '../../lib/app/installation.ts';
import { configuredRetention, plannedPrune, pruneNow, sealNow } from '../../lib/app/audit/keeping.ts';
import type { PrunePlan, Retention } from '../../lib/audit/keeping/plan.ts';
import type { Command, CommandContext } from '../command.ts';
import { yesFlag } from '../confirm.ts';
import { openToLook } from '../open.ts';
import { columns, printable, type Output } from '../output.ts';
import { asFlag, askProof } from '../proof.ts';

export const command: Command = {
  about: 'Removes the oldest files of the log of record: those whose whole day is older than retention_days, and those beyond max_files. Shows them first, and asks. '
    + 'What went stays on record: a checkpoint covers it, a signed statement and an entry in the log name it, and its seal is kept, so loki audit verify goes on saying ok.\n\n'
    + 'The newest file never goes, nor one that was not sealed, nor anything younger than retention_days but by max_files.',
  operands: [],
  flags: [
    { name: 'dry-run', kind: 'switch', summary: 'Only show what would go' },
    { name: 'older-than', kind: 'duration', value: 'TIME', summary: 'Only what is older than this, such as 365d; not less than retention_days' },
    yesFlag, asFlag,
  ],
  examples: [['loki audit prune --dry-run', 'what would go'], ['loki audit prune --older-than 365d', 'keep more than must be kept'], ['loki audit prune --yes --json', 'for a program']],
  exits: [[1, 'a person said no, or something was left as it is and is named'], [4, 'a fresh proof is missing']],
  run,
};

const dayMs = 24 * 3600_000;

async function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = openToLook(context);
  const retention = retentionOf(installation, args.number('older-than'));
  const log = openRecord(installation, { keeps: true });
  try {
    // What has just been finished may have no seal yet.
    if (!args.on('dry-run')) await sealNow(installation, log, { signal: context.terminal.signal });
    const plan = plannedPrune(installation, retention);
    if (args.on('dry-run') || plan.doomed.length === 0) return tellPlan(plan, output);
    const show = args.on('yes') ? output.note : output.message;
    for (const line of planLines(plan)) show(line);
    const proof = await askProof(context, installation, { question: 'Remove these files for good?', attempted: 'prune the log' });
    if (proof === undefined) return exitCode.failed;
    const proving = { ...log, record: provenRecorder(installation, log.record, proof, 'prune the log') };
    const { pruned, problems } = await pruneNow(installation, proving, { retention, actor: proof.by, signal: context.terminal.signal });
    if (output.json) output.value({ pruned, problems });
    else tellDone(pruned, output);
    for (const { file, found } of problems) output.warn(`${printable(file)}: ${printable(found)}`);
    return problems.length > 0 ? exitCode.failed : exitCode.done;
  } finally {
    await log.close();
  }
}

/** Retention is a floor: nobody goes below it on a command line, where it would leave no trace in the configuration. */
function retentionOf(installation: Installation, olderThanMs: number | undefined): Retention {
  const retention = configuredRetention(installation);
  if (olderThanMs === undefined) return retention;
  const least = installation.config.audit.retentionDays;
  if (olderThanMs < least * dayMs) {
    throw new LokiError('usage', {
      attempted: `prune what is older than ${formatDuration(olderThanMs)}`, found: `retention_days is ${least}: nothing younger may go`,
      hint: `Name ${least}d or more, or change enterprise.audit.retention_days`,
    });
  }
  // Whoever names an age means that, and not a number of files.
  return { days: Math.ceil(olderThanMs / dayMs) };
}

function planLines({ doomed, problems, clockAheadMs }: PrunePlan): readonly string[] {
  const rows = doomed.map(({ seal, why }) => [`  ${seal.file}`, `seq ${seal.first_seq} to ${seal.last_seq}`, `${seal.entries} entries`, why]);
  const head = doomed.length === 0 ? 'Nothing is to be pruned.' : `${doomed.length} ${doomed.length === 1 ? 'file' : 'files'} would go:`;
  const ahead = clockAheadMs === undefined ? [] : [`The clock of this machine is ${Math.floor(clockAheadMs / dayMs)} days ahead of the newest finished entry. If it is wrong, files would go too early.`];
  return [head, ...columns(rows), ...ahead, ...problems.map(({ file, found }) => `  ${printable(file)}: ${printable(found)}`)];
}

function tellPlan(plan: PrunePlan, output: Output): number {
  const { doomed, problems, clockAheadMs = null } = plan;
  if (output.json) output.value({ would_prune: doomed.map(({ seal: { file, first_seq, last_seq, entries, sha256 }, why }) => ({ file, first_seq, last_seq, entries, sha256, why })), clock_ahead_ms: clockAheadMs, problems });
  else for (const line of planLines(plan)) output.line(line);
  return problems.length > 0 ? exitCode.failed : exitCode.done;
}

function tellDone(pruned: readonly string[], output: Output): void {
  output.line(pruned.length === 0 ? 'Nothing was pruned.' : `Pruned: ${pruned.map(printable).join(', ')}`);
}
