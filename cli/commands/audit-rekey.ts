/** `loki audit rekey`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { resolveFrom } from '../../lib/base/paths.ts';
import { provenRecorder } from '../../lib/app/approver.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { rekey, type RekeyReport } from '../../lib/app/audit/rekey.ts';
import type { Command, CommandContext } from '../command.ts';
import { yesFlag } from '../confirm.ts';
import { open } from '../open.ts';
import { printable } from '../output.ts';
import { asFlag, askProof } from '../proof.ts';

export const command: Command = {
  about: [
    'Changes the key that an encrypted log is kept under. The keys of days and subjects are wrapped anew; entries are not written again, and all that could be read can still be read.',
    'Cut short at any moment, it is ended by running it again; both keys count until then. Where the key is given by the environment, processes that have the old one can record nothing after it.',
  ].join('\n\n'),
  operands: [],
  flags: [
    { name: 'new-key-file', kind: 'text', value: 'FILE', summary: 'The file with the new key: 32 bytes in base64 or hex' },
    { name: 'generate', kind: 'switch', summary: 'Make a new key, kept in LOKI_HOME/keys' },
    yesFlag, asFlag,
  ],
  examples: [
    ['loki audit rekey --generate', 'where the key lies in LOKI_HOME/keys'],
    ['loki audit rekey --new-key-file /etc/loki/audit-2027.key', 'then let LOKI_AUDIT_KEY_FILE name that file'],
  ],
  exits: [[4, 'a fresh proof is missing']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const file = args.text('new-key-file');
  if ((file === undefined) !== args.on('generate')) throw new LokiError('usage', { attempted: 'change the key of the audit log', found: file === undefined ? 'it is not said where the new key comes from' : 'it is said twice where the new key comes from', hint: 'Give --new-key-file FILE, or --generate' });
  const installation = open(context);
  const attempted = 'change the key of the audit log';
  const proof = await askProof(context, installation, { question: 'Wrap the keys of the audit log anew?', attempted });
  if (proof === undefined) return exitCode.failed;
  const log = openRecord(installation);
  let report: RekeyReport;
  try {
    report = await rekey(installation, provenRecorder(installation, log.record, proof, attempted), { by: proof.by, ...(file === undefined ? {} : { newKeyFile: resolveFrom(terminal.cwd, file) }) });
  } finally {
    await log.close();
  }
  if (output.json) output.value(report);
  else {
    output.line(`${report.took_up ? 'Ended a change that was cut short. ' : ''}${report.keys} ${report.keys === 1 ? 'key is' : 'keys are'} wrapped by the key with check ${report.new_check}, in ${printable(report.key_at)}.`);
    if (file !== undefined) output.note('Let LOKI_AUDIT_KEY_FILE name that file from now on, and destroy the old key with its backups.');
  }
  return exitCode.done;
}
