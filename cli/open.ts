/** What most commands begin with: the installation in effect, its warnings told. */
import { assertHome, openInstallation, type Installation } from '../lib/app/installation.ts';
import { settingsWithoutEffect } from '../lib/app/not-yet.ts';
import { isTelemetryOn } from '../lib/app/telemetry/telemetry.ts';
import type { CommandContext } from './command.ts';
import { printable } from './output.ts';

/** Opens the installation to look at records: whatever a project's own configuration says, they can be looked at. */
export function openToLook(context: CommandContext): Installation {
  const { args, terminal } = context;
  const project = args.text('project');
  const installation = openInstallation(terminal, { withoutProjectFile: true, ...(project === undefined ? {} : { project }) });
  assertHome(installation);
  tellOf(context, installation);
  return installation;
}

/** Opens the installation; `flags` are settings given on the command line, by the flag's name with its dashes. */
export function open(context: CommandContext, flags: ReadonlyMap<string, string> = new Map()): Installation {
  const { args, terminal, output } = context;
  const project = args.text('project');
  const installation = openInstallation(terminal, { flags, ...(project === undefined ? {} : { project }) });
  assertHome(installation);
  for (const { message, file, line } of [...installation.config.warnings, ...settingsWithoutEffect(installation.config)]) {
    output.warn(printable(`${file === undefined ? '' : `${file}:${line ?? 1}: `}${message}`));
  }
  tellOf(context, installation);
  return installation;
}

/** A command that opens an installation is told of where telemetry is on; what opens none has nothing to be told. */
function tellOf({ onOpen }: CommandContext, installation: Installation): void {
  if (isTelemetryOn(installation.config, installation.surroundings.env)) onOpen?.(installation);
}

/** Who gives the command, as an audit actor. */
export function actorOf({ host }: Installation): string {
  return `user:${host.facts.username}`;
}
