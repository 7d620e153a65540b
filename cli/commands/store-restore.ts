/** `loki store restore`. */
import { exitCode } from '../../lib/errors.ts';
import { assertUnused, restoreStore } from '../../lib/app/store-care.ts';
import { resolveFrom } from '../../lib/base/paths.ts';
import type { RestorePlan } from '../../lib/store/restore.ts';
import type { Command, CommandContext } from '../command.ts';
import { confirm, yesFlag } from '../confirm.ts';
import { actorOf, openToLook } from '../open.ts';
import { printable } from '../output.ts';

export const command: Command = {
  about: 'Puts a backup in the place of the store. The backup is read to its last byte first. The files that were there get other names and stay; they may be damaged. '
    + 'Revisions go on from where they were, so that nothing an API client remembers means two things.\n\n'
    + 'Runs, approvals and keys are as they were when the backup was made: a key that was revoked since works again. The log of record does not go back; the restore is recorded in it as config.change. '
    + 'It refuses while a control plane or a session uses the store.',
  operands: [{ name: 'FILE', summary: 'What loki store backup wrote', required: true }],
  flags: [{ name: 'dry-run', kind: 'switch', summary: 'Only read the backup and say what would be done' }, yesFlag],
  examples: [['loki store restore store-2026-11-29.jsonl --dry-run', 'what would be done'], ['loki store restore store-2026-11-29.jsonl --yes', 'without asking']],
  exits: [[1, 'a person said no, or the store is in use'], [6, 'the backup is cut or damaged']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const installation = openToLook(context);
  const restore = restoreStore(installation, resolveFrom(terminal.cwd, args.operand('FILE') ?? ''));
  if (args.on('dry-run')) {
    if (output.json) output.value(restore.plan);
    else for (const line of planLines(restore.plan)) output.line(line);
    return exitCode.done;
  }
  assertUnused(installation);
  const show = args.on('yes') ? output.note : output.message;
  for (const line of planLines(restore.plan)) show(line);
  if (!await confirm(context, 'Put this backup in the place of the store?', 'restore the store')) return exitCode.failed;
  const done = await restore.apply(actorOf(installation));
  if (output.json) output.value(done);
  else output.line(`The store is as it was at revision ${done.backup_revision}: ${done.objects} objects, now at revision ${done.revision}.`);
  return exitCode.done;
}

function planLines({ file, objects, backup_revision: from, replaced_revision: replaced, kept_as: keptAs }: RestorePlan): readonly string[] {
  const there = keptAs === null ? 'There is no store yet.' : `The store that is there (${replaced === null ? 'it cannot be read' : `revision ${replaced}`}) is kept as ${printable(keptAs)}.`;
  return [`${printable(file)}: ${objects} objects at revision ${from}.`, there];
}
