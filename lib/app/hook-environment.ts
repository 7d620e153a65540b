/**
 * What of our environment a gate needs that an agent's hook opens later, in a process of its own: settings of the gate and the
 * place of the log's key. Both the runs that hand it down to an agent and the settings that carry it as text draw on this list.
 */
import { hookPath } from '../agents/hook-command.ts';
import type { Installation } from './installation.ts';

/** Settings of the gate that may stand in our environment; none is a secret. */
export const gateVariables = [
  'LOKI_MANAGED_POLICY', 'LOKI_AUDIT_DISABLED', 'LOKI_ENTERPRISE_AUDIT', 'LOKI_AUDIT_LEVEL', 'LOKI_AUDIT_MAX_SIZE_MB', 'LOKI_AUDIT_NO_INTEGRITY', 'LOKI_AUDIT_ON_FAILURE',
  'LOKI_HOST', 'LOKI_PORT',
] as const;

/** Those of them that are set. */
export function gateSettings(env: Installation['surroundings']['env']): Readonly<Record<string, string>> {
  return Object.fromEntries(gateVariables.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** The whole environment of the program that a hook starts, but for what `handedDown` names: where our records lie, and by which settings the gate judges. */
export function hookEnvironment({ home, surroundings: { env, homeDirectory } }: Installation): Readonly<Record<string, string>> {
  const keyFile = env['LOKI_AUDIT_KEY_FILE'];
  return { HOME: homeDirectory, PATH: hookPath, LOKI_HOME: home.home, ...gateSettings(env), ...(keyFile === undefined ? {} : { LOKI_AUDIT_KEY_FILE: keyFile }) };
}
