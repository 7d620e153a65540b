/** `loki dashboard`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { startControlPlane } from '../../lib/app/control-plane.ts';
import { boundLog, dashboardLog, dashboardStatus, endRunning, startInBackground } from '../../lib/app/dashboard-process.ts';
import type { Installation } from '../../lib/app/installation.ts';
import { isInTheClear } from '../../lib/app/listening.ts';
import { hasAnyKey } from '../../lib/app/tokens.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { columns, printable, type Output } from '../output.ts';
import { warnOfUnknownOutcomes } from '../unknown-outcomes.ts';

export const command: Command = {
  about: 'Serves the control plane, its API and its page, on this machine until it is interrupted; with --detach in the background. A second interrupt ends it at once. Without authentication, programs of this machine may read, and changing something takes the token of the command line.',
  operands: [{ name: 'DO', summary: 'What to do (start)', choices: ['start', 'stop', 'status'] }],
  flags: [
    { name: 'host', kind: 'text', value: 'HOST', summary: 'Listen here (127.0.0.1); beyond this machine only with authentication' },
    { name: 'port', kind: 'integer', value: 'N', summary: 'Listen on this port (57374); 0 takes a free one', least: 0, most: 65_535 },
    { name: 'detach', kind: 'switch', summary: 'start: go on in the background, once it is ready; what it says goes to dashboard.log in LOKI_HOME/run' },
    { name: 'force', kind: 'switch', summary: 'stop: at once, without waiting for answers under way' },
  ],
  examples: [
    ['loki dashboard', 'then open the address it prints'], ['loki dashboard --port 8080', ''], ['loki dashboard start --detach', 'in the background'],
    ['loki dashboard status', 'which one runs, where, since when'], ['loki dashboard stop', 'streams end, answers under way finish'],
  ],
  exits: [[8, 'start: the port is taken, one runs already, or it did not become ready; status: none runs, or the one that was started does not answer']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args } = context;
  const flags = [['--host', args.text('host')], ['--port', args.number('port')]].flatMap(([name, value]) => (value === undefined ? [] : [[`${name}`, String(value)] as const]));
  const action = args.operand('DO') ?? 'start';
  for (const [flag, of] of [['detach', 'start'], ['force', 'stop']] as const) {
    if (args.on(flag) && action !== of) throw new LokiError('usage', { attempted: `do "${action}" with --${flag}`, found: `--${flag} belongs to "${of}"`, hint: 'See: loki dashboard --help' });
  }
  const installation = open(context, new Map(flags));
  if (action === 'status') return tellStatus(context, installation);
  if (action === 'stop') return stop(context, installation);
  return args.on('detach') ? detach(context, installation, flags.flat()) : serve(context, installation);
}

async function tellStatus({ output }: CommandContext, installation: Installation): Promise<number> {
  const status = await dashboardStatus(installation);
  const { url, pid, since, version, authentication, tls, event_streams, ready, in_the_clear, socket } = status;
  if (output.json) {
    output.value({ url, pid, since, version, authentication, tls, in_the_clear, event_streams, ready, socket });
    return exitCode.done;
  }
  output.line(`The control plane runs at ${output.out.paint('bold', printable(url))}`);
  const rows: readonly (readonly [string, string])[] = [
    ['process', String(pid)], ['since', printable(since)], ['version', printable(version)], ['ready', ready ? 'yes' : 'no'],
    ['authentication', printable(authentication ?? 'unknown')], ['TLS', tls ? 'yes' : in_the_clear ? 'no, though others can reach it' : 'no'],
    ['event streams', String(event_streams ?? 'unknown')], ['socket', printable(socket ?? 'none')],
  ];
  for (const line of columns(rows.map((row) => ['', ...row]))) output.line(line);
  return exitCode.done;
}

async function stop({ args, output }: CommandContext, installation: Installation): Promise<number> {
  const ended = await endRunning(installation, args.on('force'));
  if (output.json) output.value({ stopped: ended !== undefined, pid: ended?.pid ?? null });
  else output.line(ended === undefined ? 'No control plane runs.' : `The control plane at ${printable(ended.url)} (process ${ended.pid}) has ended.`);
  return exitCode.done;
}

async function detach({ output }: CommandContext, installation: Installation, flags: readonly string[]): Promise<number> {
  warnOfTheClear({ output }, installation);
  const isKeyless = installation.config.auth.enabled && !await hasAnyKey(installation);
  const { url, pid } = await startInBackground(installation, flags);
  if (output.json) output.value({ url, port: Number(new URL(url).port), pid });
  else output.line(`The control plane listens on ${output.out.paint('bold', printable(url))} (process ${pid})`);
  if (isKeyless) tellFirstKey(output);
  output.note(`What it says goes to ${dashboardLog(installation)}. End it with: loki dashboard stop`);
  return exitCode.done;
}

async function serve({ output, terminal }: CommandContext, installation: Installation): Promise<number> {
  const { signal } = terminal;
  warnOfUnknownOutcomes(output, installation, {});
  warnOfTheClear({ output }, installation);
  const running = await startControlPlane(installation);
  const endBounding = boundLog(installation);
  if (output.json) output.value({ url: running.url, port: running.port });
  else output.line(`The control plane listens on ${output.out.paint('bold', running.url)}`);
  if (installation.config.auth.enabled && !await running.hasKeys()) tellFirstKey(output);
  output.note('Ctrl-C ends it.');
  await aborted(signal);
  output.note('Ending.');
  await running.stop();
  endBounding();
  return exitCode.done;
}

/** Said each time it starts: a key that was read on its way is anybody's. */
function warnOfTheClear({ output }: Pick<CommandContext, 'output'>, installation: Installation): void {
  if (!isInTheClear(installation)) return;
  output.warn(`Others can reach "${printable(installation.config.server.host)}", and what is sent there, keys too, can be read on its way. Set LOKI_TLS_CERT and LOKI_TLS_KEY, or LOKI_TRUSTED_PROXIES where a proxy speaks TLS (docs/network-security.md).`);
}

/** There is no default credential: without a key nobody gets in. */
function tellFirstKey(output: Output): void {
  output.message('Nobody has a key yet. For the first one, on this machine: loki enterprise token generate admin --role admin --expires 30d');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
