/**
 * `loki audit keep` left behind, to run by itself, by a process that is about to end: an agent's hook must not seal and
 * compress yesterday's log while the agent waits. Nothing depends on it: whatever it does not do, the next round does.
 */
import type { Installation } from './installation.ts';

/** Settings of ours that are none of its business. */
const unneeded: ReadonlySet<string> = new Set(['LOKI_PROJECT_DIR', 'LOKI_TOKEN', 'LOKI_URL']);
const needed: ReadonlySet<string> = new Set(['PATH', 'HOME', 'LANG', 'TZ', 'NODE_EXTRA_CA_CERTS', 'SystemRoot', 'USERPROFILE']);

/**
 * Starts it. Never throws. Nothing within a session: its process keeps by itself, and an agent's environment lacks the
 * settings that a person made in theirs, such as how long to keep.
 */
export function leaveKeeping(installation: Installation): void {
  leaveBehind(installation, ['audit', 'keep', '--quiet']);
}

/** As `leaveKeeping`, another command of ours. */
export function leaveBehind({ host: { spawn, facts }, home, surroundings }: Installation, command: readonly string[]): void {
  if (surroundings.env['LOKI_SESSION_ID'] !== undefined) return;
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

/** Reasons for a new file after which the one before it waits to be kept. */
export const finishes: ReadonlySet<string> = new Set(['day', 'size']);
