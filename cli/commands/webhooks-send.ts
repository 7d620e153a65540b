/** `loki webhooks send`. */
import { exitCode } from '../../lib/errors.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { openTelemetry, silent } from '../../lib/app/telemetry/telemetry.ts';
import { deliverOnce, isDeliveryDue, spoolPlace } from '../../lib/app/webhooks.ts';
import { waitingNames } from '../../lib/approvals/webhooks/spool.ts';
import type { Command, CommandContext } from '../command.ts';
import { openToLook } from '../open.ts';

export const command: Command = {
  about: 'Sends the webhooks of approvals the messages that are due. Processes that live long do so by themselves, and others leave this command behind; running it from cron does no harm.',
  operands: [],
  flags: [{ name: 'again', kind: 'switch', summary: 'Also what is not due yet, and what was given up' }],
  examples: [['loki webhooks send', ''], ['loki webhooks send --again', 'once the receiver works again']],
  exits: [[8, 'messages wait for another attempt, or were given up']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const installation = openToLook(context);
  const all = args.on('again');
  const place = spoolPlace(installation);
  const idle = { delivered: 0, waiting: waitingNames(place).length, givenUp: 0 };
  const isWorkToDo = all ? idle.waiting > 0 : isDeliveryDue(installation);
  const telemetry = isWorkToDo ? await openTelemetry(installation, 'command') : silent;
  const log = openRecord(installation);
  try {
    const report = isWorkToDo ? await deliverOnce(installation, log.record, { all, signal: terminal.signal, tracer: telemetry.tracer }) : idle;
    const { delivered, waiting, givenUp } = report ?? idle;
    if (output.json) output.value({ delivered, waiting, given_up: givenUp, busy: report === undefined });
    else if (!args.on('quiet')) output.line(report === undefined ? 'Another process is sending.' : `${delivered} sent, ${waiting} waiting, ${givenUp} given up`);
    return waiting + givenUp > 0 ? exitCode.unreachable : exitCode.done;
  } finally {
    await log.close();
    await telemetry.end();
  }
}
