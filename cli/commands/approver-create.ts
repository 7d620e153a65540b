/** `loki approver create`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { approversOf, createApproverKey } from '../../lib/app/approver.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import type { Installation } from '../../lib/app/installation.ts';
import type { Approver } from '../../lib/approvals/proof.ts';
import type { Command, CommandContext } from '../command.ts';
import { actorOf, open } from '../open.ts';
import { printable } from '../output.ts';
import { askNewPassphrase } from '../passphrase.ts';
import { asFlag, askProof, assertTerminal, type Proven } from '../proof.ts';

export const command: Command = {
  about: [
    'Makes an approver key: an Ed25519 key whose private part is sealed with a passphrase, in LOKI_HOME/keys. From then on approving, enrolling, trusting, erasing, pruning and changing keys need that passphrase, and an approval counts only with a signature of the key: '
      + 'a program of your account can neither decide in your name nor write a decision into the store.',
    'The passphrase is typed at a terminal, never given as an argument or a variable: those can be read by every program of your account. It cannot be recovered. docs/formats/approver-key.md describes the files.',
  ].join('\n\n'),
  operands: [],
  flags: [
    { name: 'name', kind: 'text', value: 'NAME', summary: 'Whose key it is (this account): where several people share LOKI_HOME, each has one' },
    { name: 'replace', kind: 'switch', summary: 'In place of the key this person has; needs the passphrase of that one, or of another approver with --as' },
    asFlag,
  ],
  examples: [['loki approver create', 'asks for the passphrase twice'], ['loki approver create --name bob --as alice', 'a second person, let in by the first']],
  exits: [[4, 'no terminal to type a passphrase at, or a wrong one']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const attempted = 'make an approver key';
  assertTerminal(context, attempted);
  const installation = open(context);
  const owner = ownerOf(args.text('name'), installation);
  const known = approversOf(installation);
  assertFree(known, owner, args.on('replace'));
  const proof = await admitted(context, installation, { known, owner, attempted });
  if (proof === undefined) return exitCode.failed;
  const passphrase = await askNewPassphrase(context, `the approver key of ${owner}`, attempted);
  if (passphrase === undefined) return exitCode.failed;
  const log = openRecord(installation);
  let made: Approver;
  try {
    made = await createApproverKey(installation, log.record, { owner, passphrase, ...proof });
  } finally {
    await log.close();
  }
  if (output.json) output.value({ key: made.key, owner, created_at: made.createdAt });
  else {
    output.line(`${output.out.paint('green', 'Made')} the approver key of ${printable(owner)}: ${made.key}`);
    output.note('Keep a copy of LOKI_HOME/keys, and tell auditors the fingerprint. loki approver status shows it.');
  }
  return exitCode.done;
}

interface Admission {
  readonly known: readonly Approver[];
  readonly owner: string;
  readonly attempted: string;
}

/** The first key is made by whoever sits at the terminal; every other one is let in by an approver. */
async function admitted(context: CommandContext, installation: Installation, { known, owner, attempted }: Admission): Promise<Proven | undefined> {
  const question = known.length === 0 ? `Make an approver key for ${printable(owner)}?` : `Let in a new key for ${printable(owner)}?`;
  // The passphrase that is typed next is the confirmation.
  return askProof(context, installation, { question, attempted, isSaid: true });
}

function ownerOf(name: string | undefined, installation: Installation): string {
  const owner = name === undefined ? actorOf(installation) : `user:${name.replace(/^user:/, '')}`;
  if (/^user:[^\s\u0000-\u001f\u007f]{1,64}$/.test(owner)) return owner;
  throw new LokiError('usage', { attempted: 'make an approver key', found: `"${printable(owner.slice(0, 80))}" is no name of a person`, hint: 'Name them without blanks: --name alice' });
}

function assertFree(known: readonly Approver[], owner: string, replaces: boolean): void {
  const own = known.find((each) => each.owner === owner);
  if (own !== undefined && !replaces) {
    throw new LokiError('conflict', { attempted: 'make an approver key', found: `${owner} has one: ${own.key}`, hint: 'To change its passphrase: loki approver passwd. For another key: loki approver create --replace' });
  }
  if (own === undefined && replaces) throw new LokiError('not_found', { attempted: 'replace an approver key', found: `${owner} has none`, hint: 'Leave --replace out' });
}
