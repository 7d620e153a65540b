/**
 * Hooks that ask over HTTP, answered by the process that serves: the same judgement as of `loki hook claude`, in the words that Claude Code
 * reads. Installation, policy, enrolment and budgets are looked at anew for each event, so that a long life shows nothing stale; kept are the
 * log while it is the same, and the compiled form of a policy while its files say the same.
 */
import { LokiError } from '../../errors.ts';
import { adapter } from '../../agents/claude.ts';
import { largestAction } from '../../agents/generic.ts';
import { hookEvents } from '../../agents/hook-events.ts';
import type { AgentAdapter, HookOutput } from '../../agents/hook.ts';
import { httpEvents } from '../../agents/settings/http-hooks.ts';
import { programSeconds } from '../../agents/settings/wanted.ts';
import { handedDown } from '../../agents/hook-command.ts';
import { projectOfHookToken } from '../../base/hook-token.ts';
import { resolveFrom } from '../../base/paths.ts';
import type { HookQuestion, HookService } from '../../server/services.ts';
import type { Installation, Surroundings } from '../installation.ts';
import type { PolicyMemory } from '../policy.ts';
import type { ProcessTelemetry } from '../telemetry/telemetry.ts';
import { answerHook, marginMs, type HookOptions, type OpenHookLog } from './answer.ts';
import { createRoom } from './room.ts';
import { keyOfToken, readHookKey } from './tokens.ts';

export interface HookLimits {
  /** So many are judged at once, those that wait for a person among them. */
  readonly atOnce: number;
  /** So many more wait, their bodies unread. */
  readonly waiting: number;
  /** An event has been answered by then. */
  readonly deadlineOf: (event: string) => number;
}

const usualLimits: HookLimits = { atOnce: 64, waiting: 256, deadlineOf };
/** Between our own deadline and the agent's. */
const sparedMs = 2000;

export function hookService(installation: Installation, openLog: OpenHookLog, limits: Partial<HookLimits> = {}, telemetry?: ProcessTelemetry): HookService {
  const { host: { clock, timers } } = installation;
  const surroundings = withoutSession(installation);
  const most = { ...usualLimits, ...limits };
  const room = createRoom(most, timers);
  const policies = new Map<string, PolicyMemory>();
  return {
    projectOf: (token) => (keyOfToken(installation, token) === undefined ? undefined : projectOfHookToken(token)),
    knows: (event) => httpEvents.has(event),
    async answer(question) {
      const startedAt = clock.monotonic();
      const deadlineMs = most.deadlineOf(question.event);
      question.expect(deadlineMs + sparedMs);
      const leave = await room.enter(deadlineMs);
      if (leave === undefined) throw new LokiError('interrupted', { attempted: 'answer the hook', found: 'too many hooks ask at once', hint: 'Ask again' });
      try {
        const leftMs = Math.ceil((deadlineMs - (clock.monotonic() - startedAt)) / 1000) * 1000;
        return bodyOf(await judged(installation, surroundings, question, { deadlineMs: leftMs, openLog, policy: memoryOf(policies, question.projectId), ...(telemetry === undefined ? {} : { telemetry }) }));
      } finally {
        leave();
      }
    },
  };
}

/** The event is the one that the hook was installed for: another, or one that nobody knows, is asked about by mistake or by somebody else. */
const strict: AgentAdapter = {
  ...adapter,
  parse(input, told) {
    const event = adapter.parse(input, told);
    if (event.event === told.event) return event;
    throw new LokiError('action.invalid', { attempted: 'read the hook input', found: 'it is of another event than the hook was installed for' });
  },
};

type Kept = Required<Pick<HookOptions, 'deadlineMs' | 'openLog' | 'policy'>> & Pick<HookOptions, 'telemetry'>;

/** More projects than anybody works in at once. */
const mostPolicies = 32;

function memoryOf(policies: Map<string, PolicyMemory>, projectId: string): PolicyMemory {
  const known = policies.get(projectId);
  if (known !== undefined) return known;
  if (policies.size >= mostPolicies) policies.clear();
  const memory: PolicyMemory = {};
  policies.set(projectId, memory);
  return memory;
}

function judged(installation: Installation, surroundings: Surroundings, { projectId, event, entrypoint, read, signal }: HookQuestion, kept: Kept): Promise<HookOutput> {
  const key = readHookKey(installation, projectId);
  if (key === undefined) throw new LokiError('auth.required', { attempted: 'answer the hook', found: 'its token does not count any more' });
  return answerHook(strict, () => read(largestAction), { ...surroundings, env: { ...surroundings.env, CLAUDE_CODE_ENTRYPOINT: entrypoint }, cwd: key.project }, {
    project: key.project, approval: key.approval, event, signal, ...kept, waitMs: Math.max(0, Math.min(key.waitMs ?? Number.POSITIVE_INFINITY, kept.deadlineMs - marginMs)),
  });
}

/**
 * Never empty, which would be no answer. A no without words on standard output has them on standard error: they are said in the form that
 * every event understands, since Claude Code shows nothing of an answer whose status is an error.
 */
function bodyOf({ stdout, stderr, exit }: HookOutput): string {
  if (exit === 0) return stdout === '' ? '{}' : stdout;
  return JSON.stringify({ decision: 'block', reason: stderr.trim() === '' ? 'loki: this call is not allowed' : stderr.trim() });
}

function deadlineOf(event: string): number {
  const row = hookEvents.claude.find((each) => each.event === event);
  return programSeconds(row?.seconds ?? 0) * 1000 - sparedMs;
}

/** Which session this process was started in says nothing of the agent that asks. */
function withoutSession({ surroundings: { env, homeDirectory, cwd }, home }: Installation): Surroundings {
  const left = Object.entries(env).filter(([name]) => !handedDown.includes(name) && name !== 'LOKI_PROJECT_DIR');
  // A path from where this process was started: events are judged from where the project is.
  const placed = left.map(([name, value]): readonly [string, string | undefined] => [name, value !== undefined && value !== '' && pathVariables.has(name) ? resolveFrom(cwd, value) : value]);
  return { env: { ...Object.fromEntries(placed), LOKI_HOME: home.home }, homeDirectory, cwd };
}

const pathVariables: ReadonlySet<string> = new Set(['LOKI_MANAGED_POLICY', 'LOKI_AUDIT_KEY_FILE']);
