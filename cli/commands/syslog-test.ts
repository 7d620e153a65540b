/** `loki syslog test`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import type { ProbeReport } from '../../lib/audit/forward/probe.ts';
import { isForwardingConfigured } from '../../lib/app/audit/forwarding.ts';
import { probeReceivers } from '../../lib/app/audit/receivers.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { columns, printable, type Output } from '../output.ts';

export const command: Command = {
  about: 'Sends one test message to every receiver of the log of record that is configured, a syslog server and a Splunk HTTP Event Collector, and says step by step what came back: '
    + 'its address, its certificate, whether it took the message. A receiver that works again is sent what has been waiting for it.\n\nFailures of forwarding itself are recorded: '
    + 'loki enterprise audit tail --event syslog.error shows them.',
  operands: [],
  flags: [],
  examples: [
    ['loki syslog test', 'try what is configured'],
    ['LOKI_AUDIT_SYSLOG_HOST=syslog.example.com LOKI_AUDIT_SYSLOG_PROTO=tls loki syslog test', 'try a server before it is configured'],
    ['loki syslog test --json', 'the steps for a program'],
  ],
  exits: [[8, 'a receiver cannot be reached, is not believed, or refuses']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const installation = open(context);
  if (!isForwardingConfigured(installation)) {
    throw new LokiError('config.invalid', {
      attempted: 'test forwarding', found: 'no receiver is configured', hint: 'Set LOKI_AUDIT_SYSLOG_HOST, or LOKI_SPLUNK_HEC_URL and LOKI_SPLUNK_HEC_TOKEN; docs/siem.md has examples',
    });
  }
  const receivers = await probeReceivers(installation);
  const ok = receivers.every((report) => report.ok);
  if (output.json) output.value({ ok, receivers });
  else for (const report of receivers) tell(report, output);
  return ok ? exitCode.done : exitCode.unreachable;
}

function tell({ receiver, ok, steps }: ProbeReport, output: Output): void {
  const { paint } = output.out;
  output.line(`${paint('bold', printable(receiver))}: ${paint(ok ? 'green' : 'red', ok ? 'it works' : 'it does not work')}`);
  const rows = columns(steps.map(({ step, said }) => [step, printable(said)]));
  rows.forEach((row, at) => output.line(`  ${steps[at]?.ok === true ? paint('green', 'ok  ') : paint('red', 'fail')}  ${row}`));
}
