/** `loki enterprise status`. */
import { auditHealth, healthWords } from '../../lib/app/audit/health.ts';
import { resolveTelemetry } from '../../lib/app/telemetry/settings.ts';
import type { ConfigOrigin } from '../../lib/config/config.ts';
import type { TelemetrySettings } from '../../lib/app/telemetry/settings.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { columns, printable, type Output } from '../output.ts';

export const command: Command = {
  about: 'Prints every setting with the value in effect and where it came from: a flag, a variable of the environment, a file and its line, or the default. '
    + 'Secrets are shown as set or unset only.\n\nBy default the settings that are not at their default; --all prints the others too.',
  operands: [],
  flags: [{ name: 'all', short: 'a', kind: 'switch', summary: 'Also the settings that are at their default' }],
  examples: [
    ['loki enterprise status', 'what is configured here'],
    ['loki enterprise status --all', 'everything that can be'],
    ['loki enterprise status --json', 'a list of {key, value, from}, and what counts for telemetry'],
  ],
  exits: [],
  run,
};

function run(context: CommandContext): Promise<number> {
  const { args, output } = context;
  const installation = open(context);
  const { config, project } = installation;
  const health = auditHealth(installation);
  const settings = config.explain();
  const telemetry = resolveTelemetry(installation);
  if (output.json) {
    output.value({ home: config.home, project: project ?? null, audit: health, telemetry: telemetryValue(telemetry), settings });
    return Promise.resolve(0);
  }
  const shown = settings.filter(({ from }) => args.on('all') || from !== 'default');
  output.line(`${output.out.paint('bold', 'Records')}  ${printable(config.home)}`);
  output.line(`${output.out.paint('bold', 'Project')}  ${project === undefined ? 'none here' : `${printable(project.dir)} (${project.id})`}`);
  output.line(`${output.out.paint('bold', 'Audit  ')}  ${health.enabled ? healthWords(health) : output.out.paint('red', 'OFF: decisions are not recorded')}`);
  for (const trouble of health.enabled ? health.troubles : []) output.line(`         ${output.out.paint('red', printable(trouble))}`);
  tellTelemetry(telemetry, output);
  output.line();
  if (shown.length === 0) output.line('Every setting is at its default. All of them: loki enterprise status --all');
  const rows = [...shown, ...variablesBeside(telemetry, settings)].map(({ key, value, from }) => [key, printable(value), from === 'default' ? 'default' : `from ${printable(from)}`]);
  for (const line of columns(rows, output.out.isTerminal ? output.out.columns : undefined)) output.line(line);
  return Promise.resolve(0);
}

/** Without a header's value, a key or a query. */
function telemetryValue({ isOn, offBecause, destinations, effective, problems }: TelemetrySettings): object {
  return {
    on: isOn, off_because: offBecause ?? null, destinations: destinations.map(({ id, name, kind, signals, temporality }) => ({ id, name, kind, signals, temporality })),
    values: effective.map(({ name, value, from, passedOver = [] }) => ({ name, value, from, passed_over: passedOver })), problems: problems.map(({ message, hint }) => ({ message, hint: hint ?? null })),
  };
}

/** Nothing where nobody said anything of telemetry. */
function tellTelemetry({ isOn, offBecause, destinations, effective, problems }: TelemetrySettings, output: Output): void {
  if (effective.length === 0 && destinations.length === 0) return;
  const where = destinations.map(({ name, signals }) => `${name} (${signals.join(', ')})`).join(', ');
  output.line(`${output.out.paint('bold', 'Sends  ')}  ${isOn ? `telemetry to ${printable(where)}` : `no telemetry: ${printable(offBecause ?? '')}`}`);
  for (const { message } of problems) output.line(`         ${output.out.paint('yellow', printable(message))}`);
}

/** Variables of OpenTelemetry that are no settings of ours and count all the same. */
function variablesBeside({ effective }: TelemetrySettings, settings: readonly ConfigOrigin[]): readonly ConfigOrigin[] {
  const listed = new Set(settings.map(({ from }) => from));
  return effective.filter(({ from }) => from.startsWith('OTEL_') && !listed.has(`env ${from}`)).map(({ value, from }) => ({ key: from, value, from: `env ${from}` }));
}
