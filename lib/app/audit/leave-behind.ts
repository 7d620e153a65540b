/**
 * Commands of ours left behind, to run by themselves, by a process that is about to end: an agent's hook must not seal and
 * compress yesterday's log while the agent waits. Nothing depends on them: whatever one does not do, the next one does.
 */
import type { Installation } from '../installation.ts';

/**
 * Settings of ours that are none of its business. Where telemetry goes is not for a hook's environment to say: an agent may have written that,
 * and what waits on disk is that of everybody. What is left behind goes by the configuration files (docs/threat-model.md).
 */
const unneeded: ReadonlySet<string> = new Set(['LOKI_PROJECT_DIR', 'LOKI_TOKEN', 'LOKI_URL', 'LOKI_OTEL_ENDPOINT', 'LOKI_SERVICE_NAME']);
const needed: ReadonlySet<string> = new Set(['PATH', 'HOME', 'LANG', 'TZ', 'NODE_EXTRA_CA_CERTS', 'SystemRoot', 'USERPROFILE']);

/** Leaves `loki audit keep` behind. Never throws. */
export function leaveKeeping(installation: Installation): void {
  leaveBehind(installation, ['audit', 'keep', '--quiet']);
}

/** Nothing is left behind within a session: its process looks after the log by itself, and an agent's environment lacks the settings that a person made in theirs, such as how long to keep. */
export function leavesBehind({ surroundings }: Installation): boolean {
  return surroundings.env['LOKI_SESSION_ID'] === undefined;
}

/** Starts a command of ours, where any may be left behind. Never throws. */
export function leaveBehind(installation: Installation, command: readonly string[]): void {
  if (!leavesBehind(installation)) return;
  const { host: { spawn, facts }, home, surroundings } = installation;
  const [program = '', ...args] = facts.loki;
  const env = Object.fromEntries(Object.entries(surroundings.env).flatMap(([name, value]) => {
    const isWanted = needed.has(name) || (name.startsWith('LOKI_') && !unneeded.has(name));
    return isWanted && value !== undefined ? [[name, value]] : [];
  }));
  try {
    // In LOKI_HOME, whose path it gets as it is: the one we were given may be relative to where we stand.
    spawn.leave({ program, args: [...args, ...command], cwd: home.home, env: { ...env, LOKI_HOME: home.home } });
  } catch {
    return;
  }
}
