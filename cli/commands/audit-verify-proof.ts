/** `loki audit verify-proof`: needs no LOKI_HOME and no network, only the file and the key. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { resolveFrom } from '../../lib/base/paths.ts';
import { leafHash } from '../../lib/base/merkle/hash.ts';
import { parseVkey, type NoteKey } from '../../lib/base/merkle/note.ts';
import { checkTlogProof, longestProofFile, parseTlogProof, type TlogProof } from '../../lib/base/merkle/tlog-proof.ts';
import { seqOf } from '../../lib/audit/chain.ts';
import { createHost } from '../../lib/host/host.ts';
import type { Command, CommandContext } from '../command.ts';
import { printable, type Output } from '../output.ts';

export const command: Command = {
  about: 'Checks a proof that loki audit prove wrote, with nothing but the file and the log\'s public key: that the entry is in the tree whose root the checkpoint has, and that '
    + 'the key signed that checkpoint. Nothing is read of this machine\'s own log.\n\nWhat it does not say: that the key\'s owner signed no other tree. For that, compare checkpoints that '
    + 'were kept elsewhere (loki audit verify --against).',
  operands: [{ name: 'FILE', summary: 'The proof', required: true }],
  flags: [
    { name: 'vkey', kind: 'text', value: 'KEY', summary: 'The log\'s public key, name+id+base64, or a file with such lines; may be given several times', repeated: true },
    { name: 'entry', kind: 'text', value: 'FILE', summary: 'The entry\'s line, in place of the one that came with the proof' },
  ],
  examples: [
    ['loki audit verify-proof 41.tlog-proof --vkey log.vkey', 'the key is in a file'],
    ['loki audit verify-proof 41.tlog-proof --vkey log.vkey --entry line.json', 'is it this entry?'],
  ],
  exits: [[0, 'proven'], [6, 'not proven']],
  run,
};

/** A line is at most 65,535 bytes; one more for its line feed. */
const largestEntry = 65_536;
const largestKeys = 1 << 16;

function run({ args, output, terminal }: CommandContext): Promise<number> {
  const name = args.operand('FILE') ?? '';
  const read = (path: string, limit: number): Buffer => readFile(terminal.cwd, path, limit);
  const proof = parseTlogProof(read(name, longestProofFile).toString('utf8'));
  if (proof === undefined) throw unusable(name, 'it is no proof: it does not have the lines of c2sp.org/tlog-proof@v1', 'A proof is written by: loki audit prove SEQ');
  const keys = args.list('vkey').flatMap((text) => keysIn(text, read));
  if (keys.length === 0) throw new LokiError('usage', { attempted: `check "${name}"`, found: 'no key was given', hint: 'Name the log\'s public key with --vkey; loki audit checkpoint prints it' });
  const entryFile = args.text('entry');
  const entry = entryFile === undefined ? proof.extra : withoutLineFeed(read(entryFile, largestEntry));
  if (entry === undefined) throw unusable(name, 'the entry did not come with it', 'Name the file that holds the entry\'s line with --entry');
  return Promise.resolve(judge(proof, Buffer.from(entry), keys, output));
}

function judge(proof: TlogProof, entry: Buffer, keys: readonly NoteKey[], output: Output): number {
  const checked = checkTlogProof(proof, leafHash(entry), keys);
  const seq = proof.index + 1;
  if (!checked.ok) {
    if (output.json) output.value({ proven: false, seq, found: checked.found });
    else output.line(output.out.paint('red', `NOT PROVEN: ${printable(checked.found)}.`));
    return exitCode.tampered;
  }
  const { checkpoint: { origin, size }, signedBy } = checked;
  const told = seqOf(entry, 0, entry.length);
  if (output.json) output.value({ proven: true, seq, origin, size, signed_by: signedBy, entry: entry.toString('utf8') });
  else {
    output.line(output.out.paint('green', printable(`Proven: entry ${seq} of the log "${origin}", which then had ${size} ${size === 1 ? 'entry' : 'entries'}, is`)));
    output.line(printable(entry.toString('utf8')));
    output.line(printable(`signed with ${signedBy.join(', ')}`));
  }
  if (told !== seq) output.warn(`it stands at place ${seq} of the log, and says ${told < 0 ? 'no number' : `seq ${told}`} itself`);
  return exitCode.done;
}

/** The line of a key, or the lines of a file. */
function keysIn(text: string, read: (path: string, limit: number) => Buffer): readonly NoteKey[] {
  const key = parseVkey(text);
  if (key !== undefined) return [key];
  if (/^[^+]+\+[0-9a-f]{8}\+/.test(text)) throw unusable(text.slice(0, 200), 'it is no public key: its id is not that of its name and bytes', 'Copy the whole line; loki audit checkpoint prints it');
  const lines = read(text, largestKeys).toString('utf8').split('\n').filter((line) => line !== '');
  return lines.map((line) => parseVkey(line) ?? (() => { throw unusable(text, `it holds a line that is no public key: ${printable(line.slice(0, 80))}`, 'Each line is name+id+base64'); })());
}

function withoutLineFeed(bytes: Buffer): Buffer {
  return bytes.at(-1) === 10 ? bytes.subarray(0, -1) : bytes;
}

function readFile(cwd: string, name: string, limit: number): Buffer {
  const path = resolveFrom(cwd, name);
  const bytes = createHost(() => cwd).disk.read(path, limit);
  if (bytes === undefined) throw unusable(name, 'there is no such file', 'Name a file that exists');
  return Buffer.from(bytes);
}

function unusable(name: string, found: string, hint: string): LokiError {
  return new LokiError('usage', { attempted: `use "${printable(name)}"`, found, hint });
}
