/** `loki audit prove`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { basename, dirname, join, resolveFrom } from '../../lib/base/paths.ts';
import { parseCount } from '../../lib/base/merkle/checkpoint.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { chainNamed, openCheckpoints } from '../../lib/app/audit/checkpoints.ts';
import type { Installation } from '../../lib/app/installation.ts';
import type { Command, CommandContext } from '../command.ts';
import { openToLook } from '../open.ts';
import { printable } from '../output.ts';

export const command: Command = {
  about: 'Writes a proof that one entry is in the log: the entry, the hashes that lead from it to the root of the tree, and the signed checkpoint. Whoever has this file and the '
    + 'log\'s public key can check it without the log, without this program, and without seeing any other entry. A checkpoint that covers the entry is signed if there is none yet.',
  operands: [{ name: 'SEQ', summary: 'The entry\'s number', required: true }],
  flags: [
    { name: 'output', short: 'o', kind: 'text', value: 'FILE', summary: 'Where the proof goes (SEQ.tlog-proof here); - prints it' },
    { name: 'chain', kind: 'text', value: 'CHAIN', summary: 'Another chain: agent:PROJECT_ID' },
  ],
  examples: [
    ['loki audit prove 41', 'writes 41.tlog-proof'],
    ['loki audit prove 41 --output -', 'prints it'],
  ],
  exits: [[6, 'the entry is another one than the one that was covered'], [7, 'the hash tree is damaged and cannot be made anew']],
  run,
};

/** An entry that was erased or encrypted is proven as it stands. */
async function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const seq = parseCount(args.operand('SEQ') ?? '') ?? 0;
  if (seq < 1) throw new LokiError('usage', { attempted: 'run "loki audit prove"', found: `SEQ is a whole number from 1, and was given "${args.operand('SEQ') ?? ''}"`, hint: 'See: loki audit prove --help' });
  const installation = openToLook(context);
  const chain = chainNamed(installation, args.text('chain'));
  if (installation.host.disk.stat(installation.home.audit) === undefined) throw new LokiError('not_found', { attempted: `prove entry ${seq}`, found: 'nothing has been recorded here' });
  const log = openRecord(installation, { signs: true });
  const checkpoints = openCheckpoints(installation, log.record);
  try {
    const { text, size, line } = await checkpoints.prove(seq, chain);
    const name = args.text('output') ?? `${seq}.tlog-proof`;
    const path = name === '-' ? undefined : write(installation, name, text);
    if (output.json) output.value({ chain, seq, size, file: path ?? null, proof: text });
    else if (path === undefined) output.line(text.trimEnd());
    else output.line(printable(`${path}: entry ${seq} of ${size}`));
    if (line === undefined) output.note('The entry itself has been pruned: whoever checks the proof needs its line from elsewhere (--entry).');
    return exitCode.done;
  } finally {
    checkpoints.close();
    await log.close();
  }
}

function write({ host: { disk }, surroundings }: Installation, name: string, text: string): string {
  const wanted = resolveFrom(surroundings.cwd, name);
  const folder = disk.realpath(dirname(wanted));
  if (folder === undefined) throw new LokiError('usage', { attempted: `write "${name}"`, found: `there is no directory "${dirname(wanted)}"`, hint: 'Make it first, or name another file with --output' });
  const path = join(folder, basename(wanted));
  const kind = disk.stat(path)?.kind;
  if (kind !== undefined && kind !== 'file') throw new LokiError('usage', { attempted: `write "${name}"`, found: `a ${kind} stands there`, hint: 'Name another file with --output' });
  disk.replace(folder, path, Buffer.from(text), 0o600);
  return path;
}
