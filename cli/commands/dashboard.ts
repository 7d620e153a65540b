/** `loki dashboard`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { addressFile, runningAddress } from '../../lib/app/control-plane-address.ts';
import { startControlPlane } from '../../lib/app/control-plane.ts';
import type { Installation } from '../../lib/app/installation.ts';
import { httpGet } from '../../lib/host/http-client.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { printable } from '../output.ts';
import { warnOfUnknownOutcomes } from '../unknown-outcomes.ts';

/** A control plane that lives answers this at once. */
const patienceMs = 2000;

export const command: Command = {
  about: 'Serves the control plane, its API and its page, on this machine until it is interrupted. Without authentication it answers questions and changes nothing.',
  operands: [{ name: 'DO', summary: 'What to do (start)', choices: ['start', 'status'] }],
  flags: [
    { name: 'host', kind: 'text', value: 'HOST', summary: 'Listen here (127.0.0.1); beyond this machine only with authentication' },
    { name: 'port', kind: 'integer', value: 'N', summary: 'Listen on this port (57374); 0 takes a free one', least: 0, most: 65_535 },
  ],
  examples: [['loki dashboard', 'then open the address it prints'], ['loki dashboard --port 8080', ''], ['loki dashboard status', 'the address of the one that runs']],
  exits: [[8, 'the port is taken; status: none runs, or the one that was started does not answer']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const flags = [['--host', args.text('host')], ['--port', args.number('port')]] as const;
  const installation = open(context, new Map(flags.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))));
  if (args.operand('DO') === 'status') {
    const url = await addressInUse(installation);
    if (output.json) output.value({ url });
    else output.line(`The control plane runs at ${output.out.paint('bold', printable(url))}`);
    return exitCode.done;
  }
  const { signal } = terminal;
  warnOfUnknownOutcomes(output, installation, {});
  const running = await startControlPlane(installation);
  if (output.json) output.value({ url: running.url, port: running.port });
  else output.line(`The control plane listens on ${output.out.paint('bold', running.url)}`);
  output.note('Ctrl-C ends it.');
  await aborted(signal);
  output.note('Ending.');
  await running.stop();
  return exitCode.done;
}

/** The address that was written down, once something there has answered. */
async function addressInUse(installation: Installation): Promise<string> {
  const url = runningAddress(installation);
  if (url === undefined) throw new LokiError('net.unreachable', { attempted: 'find the control plane', found: 'none has written down its address', hint: 'Start it with: loki dashboard' });
  const startedMs = installation.host.disk.stat(addressFile(installation))?.modifiedMs;
  const since = startedMs === undefined ? '' : ` (it was started at ${new Date(startedMs).toISOString()})`;
  const refuse = (why: string, cause?: unknown): LokiError =>
    new LokiError('net.unreachable', { attempted: 'reach the control plane', found: `${url} does not answer${since}${why}`, hint: 'Start it with: loki dashboard', cause });
  const answer = await httpGet(`${url}/health/live`, patienceMs).catch((error: unknown) => { throw refuse('', error); });
  if (answer.status !== 200) throw refuse(` as a control plane does, but with status ${answer.status}`);
  return url;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
