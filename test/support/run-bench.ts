/** A run's surroundings in memory: a store, a recorder that remembers, gates and an agent that answer as told. */
import type { Disk, Lock, Spawn, SpawnRequest, SpawnResult } from '../../lib/ports.ts';
import { LokiError } from '../../lib/errors.ts';
import { projectIdOf } from '../../lib/base/ids.ts';
import type { PolicyDecision } from '../../lib/base/action.ts';
import { sha256Hex } from '../../lib/base/digest.ts';
import type { AuditEvent, Recorder } from '../../lib/audit/entry.ts';
import type { Store } from '../../lib/store/store.ts';
import { noTracer } from '../../lib/base/trace.ts';
import { clock, random, timers } from '../../lib/host/time.ts';
import type { ResourceJudgement, RunDeps, RunOrder, RunSettings } from '../../lib/runs/deps.ts';
import type { CallEnd, Provider, ProviderCall } from '../../lib/runs/provider.ts';
import type { RunEvent } from '../../lib/runs/run.ts';
import { runKeys } from '../../lib/runs/run.ts';
import { createMemoryStore } from './memory-store.ts';

export const projectDir = '/work-tree/project';
export const projectId: string = projectIdOf(projectDir);

export const allowed: PolicyDecision = { decision: 'ALLOW', allowed: true, requiresApproval: false, reason: 'no rule objects', violations: [], policy_digest: '0'.repeat(64), duration_us: 1 };

/** A decision against something, by one rule. */
export function decision(kind: 'DENY' | 'REQUIRE_APPROVAL', rule: string): PolicyDecision {
  const action = kind === 'DENY' ? 'deny' : 'require_approval';
  return { ...allowed, decision: kind, allowed: false, requiresApproval: kind === 'REQUIRE_APPROVAL', reason: `rule ${rule} objects`, violations: [{ name: rule, action, reason: 'objects', place: 'test' }] };
}

/** What an agent prints in one call, or how the call ends. */
export type Reply = readonly string[] | Partial<CallEnd>;
export type Answering = (call: ProviderCall) => Reply | Promise<Reply>;

const goodEnd: CallEnd = { failure: null, exit: 0, stdoutBytes: 0, stderrBytes: 0, stderrTail: '', durationMs: 1 };

/** An agent that does everything right the first time. */
export const diligent: Answering = (call) => {
  if (call.role !== 'agent') return [verdict(call, 'approve', 'well done')];
  if (call.phase === 'REASON') return ['{"type":"task","title":"Do it"}', '{"type":"usage","input_tokens":100,"output_tokens":50}'];
  return ['working', '{"type":"usage","input_tokens":10,"output_tokens":5}'];
};

export function verdict(call: ProviderCall, word: 'approve' | 'reject', reason: string): string {
  return JSON.stringify({ type: 'verdict', review: call.review, verdict: word, reason });
}

export interface Bench {
  readonly deps: RunDeps;
  readonly order: RunOrder;
  readonly store: Store;
  readonly recorded: AuditEvent[];
  readonly narrated: RunEvent[];
  readonly calls: ProviderCall[];
  readonly prompts: string[];
  /** What each gate command ends with; 0 when not named. */
  readonly gateExits: Map<string, number>;
  readonly controller: AbortController;
  events(runId: string): Promise<readonly RunEvent[]>;
  /** The kernel gives back what a dead process held. */
  killLocks(): void;
}

export interface BenchOptions {
  readonly answer?: Answering;
  readonly settings?: Partial<RunSettings>;
  readonly deps?: Partial<RunDeps>;
  readonly store?: Store;
  readonly wrapStore?: (store: Store) => Store;
  readonly wrapRecord?: (record: Recorder) => Recorder;
  readonly provider?: Partial<Provider>;
}

const settings: RunSettings = {
  max_iterations: 3, budget: null, gates: [{ name: 'tests', command: 'run-tests', timeout_ms: 1000 }],
  council: { reviewers: ['correctness', 'security'], required: 2 }, branch_protection: false, retries: 1,
};

/** An answer at the resource point without anything to tell. */
export function resourcesAre(decision: PolicyDecision, more: Partial<ResourceJudgement> = {}): ResourceJudgement {
  return { decision, tellings: [], told: async () => undefined, budgets: [], allow: async () => undefined, ...more };
}

/** A bench; every part can be replaced. */
export function createBench(options: BenchOptions = {}): Bench {
  const inner = options.store ?? createMemoryStore();
  const store = options.wrapStore?.(inner) ?? inner;
  const recorded: AuditEvent[] = [];
  const narrated: RunEvent[] = [];
  const calls: ProviderCall[] = [];
  const prompts: string[] = [];
  const gateExits = new Map<string, number>();
  const held = new Set<string>();
  const controller = new AbortController();
  const record: Recorder = async (event) => {
    recorded.push(event);
    return { seq: recorded.length, chain_hash: null };
  };
  const answer = options.answer ?? diligent;
  const provider: Provider = {
    name: 'fake',
    assertReady: () => undefined,
    async invoke(call) {
      calls.push(call);
      prompts.push(call.prompt);
      const reply = await answer(call);
      if (!isLines(reply)) return { ...goodEnd, ...reply };
      for (const line of reply) call.onLine(line);
      return goodEnd;
    },
    ...options.provider,
  };
  const deps: RunDeps = {
    clock, timers, random, disk: memoryDisk(), spawn: gateSpawn(gateExits), store, tracer: noTracer, record: options.wrapRecord?.(record) ?? record,
    facts: { pid: 4711, hostname: 'bench', username: 'tester', platform: 'linux', loki: ['loki'], startOf: (pid) => (pid === 4711 ? 'start-4711' : undefined), ancestors: () => [] },
    lock: (path) => memoryLock(path, held),
    judgeResource: async () => resourcesAre(allowed),
    judgeData: async () => allowed,
    redact: (text) => text.replaceAll('hunter2', '[redacted]'),
    trusted: () => true,
    narrate: (event) => narrated.push(event),
    ...options.deps,
  };
  const order: RunOrder = {
    project: { id: projectId, dir: projectDir, tenant_id: null }, home: '/home/loki', env: { PATH: '/usr/bin' }, actor: 'user:tester',
    provider: () => provider, signal: controller.signal, prd: { path: '/prd.md', text: 'Build it', sha256: sha256Hex('Build it') },
    settings: { ...settings, ...options.settings }, trigger: 'manual',
  };
  return {
    deps, order, store, recorded, narrated, calls, prompts, gateExits, controller,
    killLocks: () => held.clear(),
    async events(runId) {
      const entries = await inner.list(runKeys.events(runId), { limit: 100_000 });
      return entries.map(({ value }) => asEvent(value));
    },
  };
}

/** A test may look at what a store keeps as what was put there. */
export function asEvent(value: unknown): RunEvent {
  return value as RunEvent;
}

function isLines(reply: Reply): reply is readonly string[] {
  return Array.isArray(reply);
}

function memoryLock(path: string, held: Set<string>): Lock {
  return {
    async acquire() {
      if (held.has(path)) throw new LokiError('lock.timeout', { attempted: `take the lock of "${path}"`, found: 'process 4711 holds it' });
      held.add(path);
    },
    release: () => { held.delete(path); },
    contended: () => false,
  };
}

/** Gates and no git. */
function gateSpawn(exits: ReadonlyMap<string, number>): Spawn {
  return {
    find: () => undefined,
    leave: () => undefined,
    endMarked: () => 0,
    endProcess: () => false,
    async run(request: SpawnRequest): Promise<SpawnResult> {
      const command = request.args[1] ?? '';
      const stdout = new TextEncoder().encode(`output of ${command} with hunter2`);
      return { exit: exits.get(command) ?? 0, signal: null, timedOut: false, aborted: false, stdout, stderr: new Uint8Array(), stdoutBytes: stdout.length, stderrBytes: 0, durationMs: 1 };
    },
  };
}

/** Only what a run does with files of its own. */
export function memoryDisk(): Disk {
  const files = new Map<string, Uint8Array>();
  const missing = (): never => { throw new Error('not used by runs'); };
  return {
    read: (path) => files.get(path), readRecord: (_base, path) => files.get(path), stat: () => undefined, volume: () => undefined, freeBytes: () => undefined, list: () => [], realpath: (path) => path,
    readlink: () => undefined, openRead: missing, openGzip: missing, compress: missing, openRecord: missing, beginFile: missing, ensureDirectory: () => undefined, move: missing,
    replace: (_base, path, bytes) => { files.set(path, bytes); }, create: (_base, path, bytes) => { files.set(path, bytes); }, remove: (path) => { files.delete(path); },
  };
}
