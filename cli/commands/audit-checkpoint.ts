/** `loki audit checkpoint`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { toBase64 } from '../../lib/base/merkle/base64.ts';
import type { Reason } from '../../lib/audit/tlog/tree.ts';
import { provenRecorder } from '../../lib/app/approver.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { checkpointNow, chainNamed } from '../../lib/app/audit/checkpoints.ts';
import type { Command, CommandContext } from '../command.ts';
import { openToLook } from '../open.ts';
import { printable } from '../output.ts';
import { asFlag, askProof } from '../proof.ts';

const reasons: readonly Reason[] = ['request', 'entries', 'interval', 'rotation'];

export const command: Command = {
  about: 'Signs a checkpoint over every entry of the log of record, if there are any that the newest one does not cover, and prints the newest one: the log\'s name, '
    + 'the number of entries, the root of their Merkle tree, and the signature. Whoever keeps a copy elsewhere can see later whether anything before it was cut off or '
    + 'rewritten. The public key that checks it is printed on stderr. docs/formats/checkpoint.md describes both.',
  operands: [],
  flags: [
    { name: 'chain', kind: 'text', value: 'CHAIN', summary: 'Another chain: agent:PROJECT_ID' },
    { name: 'accept-loss', kind: 'switch', summary: 'Go on although whole files are gone that no checkpoint covered. Recorded in your name; loki audit verify goes on telling of what is missing' },
    asFlag,
    { name: 'reason', kind: 'text', value: 'REASON', summary: 'What the log says it was made for (request)', choices: reasons },
  ],
  examples: [
    ['loki audit checkpoint', 'sign one now and print it'],
    ['loki audit checkpoint > /mnt/usb/today.checkpoint', 'keep it where this machine cannot change it'],
    ['loki audit checkpoint --json', 'the same for a program, the public key too'],
  ],
  exits: [[4, '--accept-loss needs a fresh proof, and there is none'], [6, 'the log contradicts an earlier checkpoint: nothing is signed'], [7, 'the hash tree and the lines to make it from are gone: nothing is signed']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const installation = openToLook(context);
  const chain = chainNamed(installation, args.text('chain'));
  const reason = reasons.find((one) => one === args.text('reason')) ?? 'request';
  if (installation.host.disk.stat(installation.home.audit) === undefined) {
    throw new LokiError('not_found', { attempted: 'sign a checkpoint', found: 'nothing has been recorded here', hint: 'Run loki init in a project first' });
  }
  const attempted = 'accept that entries are gone';
  const proof = args.on('accept-loss') ? await askProof(context, installation, { question: 'Go on without the entries that are gone?', attempted, isSaid: true }) : undefined;
  if (args.on('accept-loss') && proof === undefined) return exitCode.failed;
  const log = openRecord(installation, { signs: true });
  try {
    const record = proof === undefined ? log.record : provenRecorder(installation, log.record, proof, attempted);
    const { made, checkpoint, note, vkey, lost } = await checkpointNow(installation, record, {
      chain, reason, signal: terminal.signal, ...(proof === undefined ? {} : { acceptLoss: proof.by }),
    });
    if (checkpoint === undefined || note === undefined) {
      throw new LokiError('not_found', { attempted: `sign a checkpoint of ${chain}`, found: 'the chain has no entries' });
    }
    const { size, root } = checkpoint;
    if (output.json) output.value({ chain, made, origin: checkpoint.origin, size, root: toBase64(root), note, vkey, lost });
    else {
      output.line(note.trimEnd());
      for (const { first_seq: first, last_seq: last } of lost) output.note(`Entries ${first} to ${last} are gone; in the tree an empty leaf stands for each.`);
      output.note(printable(`${made ? 'Signed now' : 'Nothing new since this one'}: ${size} ${size === 1 ? 'entry' : 'entries'}. It is checked with the key ${vkey}`));
    }
    return exitCode.done;
  } finally {
    await log.close();
  }
}
