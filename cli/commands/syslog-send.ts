/** `loki syslog send`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import type { PassReport } from '../../lib/audit/forward/forwarder.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { forwardOnce, isForwardingConfigured } from '../../lib/app/audit/forwarding.ts';
import type { Command, CommandContext } from '../command.ts';
import { openToLook } from '../open.ts';
import { printable, type Output } from '../output.ts';

/** A backlog that takes longer goes on with the next call. */
const deadlineMs = 10 * 60_000;

export const command: Command = {
  about: 'Sends every receiver that is configured the entries of the log of record that it has not got. Processes that live long do so by themselves, and others leave this command behind; '
    + 'running it from cron does no harm.',
  operands: [],
  flags: [{ name: 'linger', kind: 'duration', value: 'TIME', summary: 'Then look for further entries for so long' }],
  examples: [['loki syslog send', ''], ['loki syslog send --json', 'what was sent, for a program']],
  exits: [[8, 'a receiver has not got everything; it is tried again later']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = openToLook(context);
  if (!isForwardingConfigured(installation)) {
    throw new LokiError('config.invalid', { attempted: 'send the log', found: 'no receiver is configured', hint: 'Set LOKI_AUDIT_SYSLOG_HOST, or LOKI_SPLUNK_HEC_URL and LOKI_SPLUNK_HEC_TOKEN; docs/siem.md has examples' });
  }
  const log = openRecord(installation, { sends: true });
  try {
    const passes = await forwardOnce(installation, log, { deadlineMs, lingerMs: args.number('linger') ?? 0 });
    if (output.json) output.value({ receivers: passes });
    else if (!args.on('quiet')) for (const pass of passes) output.line(told(pass, output));
    return passes.every(({ done }) => done) ? exitCode.done : exitCode.unreachable;
  } finally {
    await log.close();
  }
}

function told({ receiver, sent, why }: PassReport, output: Output): string {
  const entries = `${sent} ${sent === 1 ? 'entry' : 'entries'} sent`;
  return `${output.out.paint('bold', printable(receiver))}: ${entries}${why === undefined ? '' : `; not everything: ${printable(why)}`}`;
}
