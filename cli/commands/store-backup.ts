/** `loki store backup`. */
import { exitCode } from '../../lib/errors.ts';
import { bytes } from '../../lib/app/doctor/check.ts';
import { backUpStore } from '../../lib/app/store-care.ts';
import { resolveFrom } from '../../lib/base/paths.ts';
import type { Command, CommandContext } from '../command.ts';
import { actorOf, openToLook } from '../open.ts';
import { printable } from '../output.ts';
import { createProgress } from '../progress.ts';

export const command: Command = {
  about: 'Writes all that the store holds (projects, tasks, runs, approvals, keys) to one file, as it stood at one moment, while a control plane and sessions go on. '
    + 'The file has the format of a snapshot: every line is held by a checksum, and the last one by all before it. It appears when it is whole.\n\n'
    + 'It holds hashes of keys and what sessions are about, of every tenant: it is readable by its owner alone, and should stay so. The log of record is not in it; docs/operations.md says how that is kept.',
  operands: [{ name: 'FILE', summary: 'The file to write; it must not be there', required: true }],
  flags: [],
  examples: [['loki store backup store-2026-11-29.jsonl', 'a backup in this folder'], ['loki store backup /backup/loki.jsonl --json', 'for a program: revision, objects, bytes, SHA-256']],
  exits: [[1, 'the file is there, or cannot be written'], [6, 'the store is damaged'], [130, 'interrupted: there is no file']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const installation = openToLook(context);
  const path = resolveFrom(terminal.cwd, args.operand('FILE') ?? '');
  const progress = createProgress(terminal.stderr, 'backup', installation.host.clock, args.on('quiet'));
  try {
    const report = await backUpStore(installation, path, { actor: actorOf(installation), onProgress: progress.update, signal: terminal.signal });
    progress.end();
    if (output.json) output.value(report);
    else output.line(`${printable(report.file)}: ${report.objects} objects at revision ${report.revision}, ${bytes(report.bytes)}, SHA-256 ${report.sha256}`);
    return exitCode.done;
  } finally {
    progress.end();
  }
}
