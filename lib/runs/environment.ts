/**
 * What a child process may know. Everything is left out but the names below, so no token, no key and no `LOKI_*` secret of
 * ours reaches an agent, a gate or git.
 */

/** Names taken over from our own environment; `LC_*` too. */
const inherited: ReadonlySet<string> = new Set(['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TERM', 'TZ', 'TMPDIR', 'NO_COLOR']);

export type Environment = Readonly<Record<string, string | undefined>>;

/** The part of an environment that every child gets. */
export function allowedEnvironment(ours: Environment): Readonly<Record<string, string>> {
  const kept: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(ours)) {
    if (value !== undefined && (inherited.has(name) || /^LC_[A-Z]+$/.test(name))) kept[name] = value;
  }
  return kept;
}

/** What tells an agent which session it works in, and how to ask the gate. */
export interface AgentContext {
  readonly home: string;
  /** Program and arguments of the gate's door, as `LOKI_HOOK`: a JSON array. */
  readonly hook: readonly string[];
  readonly sessionId: string;
  readonly runId: string;
  readonly projectDir: string;
}

/** Where a secret of ours lies, and none itself: the gate that an agent's hook opens must find the key of the log. */
const places: readonly string[] = ['LOKI_AUDIT_KEY_FILE'];

/** The environment of an agent. */
export function agentEnvironment(ours: Environment, context: AgentContext): Readonly<Record<string, string>> {
  return {
    ...allowedEnvironment(ours),
    ...Object.fromEntries(places.flatMap((name) => (ours[name] === undefined ? [] : [[name, ours[name]]]))),
    LOKI_HOME: context.home,
    LOKI_HOOK: JSON.stringify(context.hook),
    LOKI_SESSION_ID: context.sessionId,
    LOKI_RUN_ID: context.runId,
    LOKI_PROJECT_DIR: context.projectDir,
  };
}
