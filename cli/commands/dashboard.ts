/** `loki dashboard`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { runningAddress, startControlPlane } from '../../lib/app/control-plane.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { printable } from '../output.ts';

export const command: Command = {
  about: 'Serves the control plane, its API and its page, on this machine until it is interrupted. Without authentication it answers questions and changes nothing.',
  operands: [{ name: 'DO', summary: 'What to do (start)', choices: ['start', 'status'] }],
  flags: [
    { name: 'host', kind: 'text', value: 'HOST', summary: 'Listen here (127.0.0.1); beyond this machine only with authentication' },
    { name: 'port', kind: 'integer', value: 'N', summary: 'Listen on this port (57374); 0 takes a free one', least: 0, most: 65_535 },
  ],
  examples: [['loki dashboard', 'then open the address it prints'], ['loki dashboard --port 8080', ''], ['loki dashboard status', 'the address of the one that runs']],
  exits: [[8, 'the port is taken; status: none runs']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, output, terminal } = context;
  const flags = [['--host', args.text('host')], ['--port', args.number('port')]] as const;
  const installation = open(context, new Map(flags.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))));
  if (args.operand('DO') === 'status') {
    const url = runningAddress(installation);
    if (url === undefined) throw new LokiError('net.unreachable', { attempted: 'find the control plane', found: 'none has written down its address' });
    if (output.json) output.value({ url });
    else output.line(`${printable(url)} was written down by the control plane that was started last`);
    return exitCode.done;
  }
  const { signal } = terminal;
  const running = await startControlPlane(installation);
  if (output.json) output.value({ url: running.url, port: running.port });
  else output.line(`The control plane listens on ${output.out.paint('bold', running.url)}`);
  output.note('Ctrl-C ends it.');
  await aborted(signal);
  output.note('Ending.');
  await running.stop();
  return exitCode.done;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
