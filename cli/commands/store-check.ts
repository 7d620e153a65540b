/** `loki store check`. */
import { exitCode } from '../../lib/errors.ts';
import { bytes } from '../../lib/app/doctor/check.ts';
import { inspectStore } from '../../lib/app/store-care.ts';
import { resolveFrom } from '../../lib/base/paths.ts';
import type { StoreReport, StoreVerdict } from '../../lib/store/inspect.ts';
import type { Command, CommandContext } from '../command.ts';
import { openToLook } from '../open.ts';
import { columns, printable, type Output } from '../output.ts';
import { createProgress } from '../progress.ts';

export const command: Command = {
  about: 'Reads every line of the store and every object in it, holds them against their checksums, and counts them by kind. It takes no lock and changes nothing, so it may run at any time. '
    + 'With FILE it looks at a backup instead.',
  operands: [{ name: 'FILE', summary: 'A backup' }],
  flags: [],
  examples: [['loki store check', 'the store of this installation'], ['loki store check store-2026-11-29.jsonl', 'a backup, before it is needed'], ['loki store check --json', 'for a program']],
  exits: [[6, 'something is there and is not what was written'], [7, 'something is missing']],
  run,
};

const exits: Readonly<Record<StoreVerdict, number>> = { ok: exitCode.done, damaged: exitCode.tampered, incomplete: exitCode.incomplete };

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const installation = openToLook(context);
  const file = args.operand('FILE');
  const progress = createProgress(terminal.stderr, 'checking', installation.host.clock, args.on('quiet'));
  try {
    const report = await inspectStore(installation, file === undefined ? undefined : resolveFrom(terminal.cwd, file), progress.update);
    progress.end();
    if (output.json) output.value(report);
    else tell(report, output);
    return exits[report.verdict];
  } finally {
    progress.end();
  }
}

const words: Readonly<Record<StoreVerdict, string>> = { ok: 'ok', damaged: 'DAMAGED', incomplete: 'INCOMPLETE' };

function tell({ verdict, problem, objects, kinds, tenants, revision, bytes: size, files }: StoreReport, output: Output): void {
  output.line(`${output.out.paint(verdict === 'ok' ? 'green' : 'red', words[verdict])}: ${objects} objects of ${tenants} tenants at revision ${revision ?? 'unknown'}, ${bytes(size)} in ${files.length} ${files.length === 1 ? 'file' : 'files'}`);
  for (const line of columns(Object.entries(kinds).map(([kind, count]) => [`  ${printable(kind)}`, String(count)]))) output.line(line);
  if (problem !== null) output.warn(printable(problem));
}
