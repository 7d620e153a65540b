/**
 * How a run begins, or is taken up again: one process at a time in a project, every refusal before the first record, and
 * a session whose process died closed or continued, never ignored.
 */
import { LokiError } from '../errors.ts';
import { newId, type IdKind } from '../base/ids.ts';
import type { SpanContext } from '../base/trace.ts';
import { sha256Hex } from '../base/digest.ts';
import type { JsonObject } from '../base/json.ts';
import type { StoreEntry } from '../store/store.ts';
import { spanNames } from '../telemetry/names.ts';
import { assertOnBranch, surveyGround } from './branch.ts';
import { auditOf, type RunContext } from './context.ts';
import { closeDeadSession, loadTasks } from './closing.ts';
import { assertCouncil } from './council.ts';
import type { RunDeps, RunOrder, RunPlace, RunSettings } from './deps.ts';
import { allowedEnvironment } from './environment.ts';
import type { GitPorts } from './git.ts';
import { hasGit, Repository } from './git.ts';
import { prdBytes, type Prd } from './prd.ts';
import type { Provider } from './provider.ts';
import { noProgress, progressOf, readRun, StoredObject } from './progress.ts';
import { runKeys, type Run } from './run.ts';
import { keptContext, readContext } from './kept-context.ts';
import { endLeftovers, readSession, sessionValue, type SessionRecord } from './session.ts';
import { hasEnded, stateOf, step } from './state.ts';
import { projectAttributes } from './spans.ts';
import { Timeline } from './timeline.ts';
import { RunTrace } from './trace.ts';

/** Long enough to take over the lock of a process that has just died. */
const lockWaitMs = 400;

/** Runs `work` as the only session process of the project. Throws `run.busy`, naming who is at work. */
export async function inProject<T>(deps: RunDeps, place: RunPlace, attempted: string, work: () => Promise<T>): Promise<T> {
  const lock = deps.lock(sessionLockPath(place.home, place.project.id));
  try {
    await lock.acquire(lockWaitMs);
  } catch (error) {
    if (!(error instanceof LokiError) || error.code !== 'lock.timeout') throw error;
    const entry = await deps.store.get(runKeys.session(place.project.id));
    const session = entry === undefined ? undefined : readSession(entry.value);
    const found = session === undefined ? 'another process is just starting one' : `process ${session.pid} drives run ${session.run_id} there since ${session.started_at}`;
    throw new LokiError('run.busy', { attempted, found, cause: error });
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** The file whose lock says that a session is at work in the project. */
export function sessionLockPath(home: string, projectId: string): string {
  return `${home}/run/session-${projectId}`;
}

/** Makes the run, or throws before anything is recorded. A dead session of the project is closed first. */
export async function createRun(deps: RunDeps, order: RunOrder): Promise<RunContext> {
  assertSettings(deps, order.settings);
  const ids = { runId: order.ordered?.run.id ?? freshId(deps, 'run'), sessionId: freshId(deps, 'session') };
  const provider = order.provider({ ...ids, prd: order.prd, began: null });
  provider.assertReady();
  const ground = await surveyGround(gitPorts(deps, order), order.settings.branch_protection, deps.clock, deps.facts);
  await closeDeadSession(deps, order.project, 'system', 'failed');
  keepPrd(deps, order, ids.runId);
  const run = newRun(deps, order, ids.runId, provider);
  const context = contextOf(deps, order, run, order.ordered?.revision ?? 0, { sessionId: ids.sessionId, settings: order.settings, prd: order.prd, provider, repository: ground.repository, asked: { parent: order.trace } });
  const details: JsonObject = { run_id: ids.runId, prd: order.prd.path, prd_sha256: order.prd.sha256, provider: provider.name, branch: ground.branch };
  const about = { actor: order.actor, resource: `run:${ids.runId}`, details };
  const begun = step({ status: 'pending', phase: null, iteration: 0 }, 'begin');
  await context.timeline.write({
    audit: [
      auditOf(context, 'session.start', { ...about, resource: `session:${ids.sessionId}` }),
      ...(order.ordered === undefined ? [auditOf(context, 'run.create', about)] : []), auditOf(context, 'run.start', about),
    ],
    events: [
      { event_type: 'phase_change', phase: begun.phase, details: { move: 'begin', from: 'pending', to: stateOf(begun), iteration: begun.iteration } },
      ...(provider.notice === undefined ? [] : [{ event_type: 'log', details: { level: 'warning', message: provider.notice } } as const]),
      ...(ground.repository === undefined ? [{ event_type: 'log', details: { level: 'warning', message: 'The project is in no git repository: the changes as a whole cannot be reviewed' } } as const] : []),
    ],
    progress: (before) => ({ ...before, phase: begun.phase, iteration: begun.iteration, attempt: 1, branch: ground.branch, base_commit: ground.base, decision_seq: context.timeline.auditSeq }),
    status: begun.status,
    session: () => sessionOf(deps, order, ids, order.trace),
    ...(order.ordered === undefined ? { creates: true } : {}),
  });
  return context;
}

/** The project's unfinished run, ready to go on from the phase it was in. Throws `run.none` when there is none, or it is another than `runId`. */
export async function takeUpRun(deps: RunDeps, place: RunPlace, runId?: string): Promise<RunContext> {
  const { session, entry } = await unfinishedRun(deps, place, runId);
  endLeftovers(session, deps);
  const run = readRun(entry.value);
  const config = new StoredObject('run configuration', run.config);
  const settings = readSettings(run.config);
  assertSettings(deps, settings);
  const prd = keptPrd(deps, place, run, `go on with run ${run.id}`);
  const provider = place.provider({ sessionId: session.id, runId: run.id, prd, began: { name: config.text('provider'), kept: config.object('provider_settings') } });
  provider.assertReady();
  const ports = gitPorts(deps, place);
  const progress = progressOf(run);
  const repository = progress.base_commit !== null && hasGit(ports) ? new Repository(ports) : undefined;
  if (repository !== undefined && progress.branch !== null) await assertOnBranch(repository, progress.branch, run.id);
  const asked = { parent: readContext(new StoredObject('session', sessionValue(session))), by: place.trace };
  const context = contextOf(deps, place, run, entry.revision, { sessionId: session.id, settings, prd, provider, repository, asked });
  context.tasks = await loadTasks(deps.store, progress);
  const from = { status: run.status, phase: progress.phase, iteration: progress.iteration };
  const to = step(from, 'take_up');
  const reason = `process ${session.pid} died`;
  await context.timeline.write({
    audit: [auditOf(context, 'session.resume', { actor: place.actor, resource: `session:${session.id}`, details: { run_id: run.id, reason, phase: to.phase, iteration: to.iteration } })],
    events: [{ event_type: 'phase_change', phase: to.phase, details: { move: 'take_up', from: stateOf(from), to: stateOf(to), iteration: to.iteration, reason, by: place.actor } }],
    progress: (before) => ({ ...before, phase: to.phase, attempt: before.attempt + 1 }),
    status: to.status,
    session: () => ({ ...sessionOf(deps, place, { runId: run.id, sessionId: session.id }, asked.parent), started_at: session.started_at }),
  });
  return context;
}

/** The session and run entries of a run that has not ended, whose process is gone: we hold the lock. */
async function unfinishedRun(deps: RunDeps, place: RunPlace, runId: string | undefined): Promise<{ readonly session: SessionRecord; readonly entry: StoreEntry }> {
  const none = new LokiError('run.none', { attempted: `resume the session in "${place.project.dir}"`, found: 'there is none' });
  const sessionEntry = await deps.store.get(runKeys.session(place.project.id));
  if (sessionEntry === undefined) throw none;
  const session = readSession(sessionEntry.value);
  const entry = await deps.store.get(runKeys.run(session.run_id));
  if (entry === undefined || hasEnded(readRun(entry.value).status) || (runId !== undefined && runId !== session.run_id)) throw none;
  return { session, entry };
}

function freshId(deps: RunDeps, kind: IdKind): string {
  return newId(kind, deps.clock.now(), deps.random.bytes(10));
}

function gitPorts(deps: RunDeps, place: RunPlace): GitPorts {
  return { spawn: deps.spawn, disk: deps.disk, projectDir: place.project.dir, env: allowedEnvironment(place.env) };
}

/** Refuses settings that cannot be used, and commands nobody has confirmed. */
function assertSettings(deps: RunDeps, settings: RunSettings): void {
  if (settings.max_iterations < 1) throw new LokiError('config.invalid', { attempted: 'use runs.max_iterations', found: `${settings.max_iterations} is not 1 or more` });
  assertCouncil(settings.council);
  const untrusted = settings.gates.filter(({ command }) => !deps.trusted(command));
  if (untrusted.length === 0) return;
  const [first] = untrusted;
  throw new LokiError('config.untrusted', {
    attempted: 'run the quality gates of this project',
    found: `nobody has confirmed ${untrusted.length === 1 ? 'the command' : `${untrusted.length} commands, among them that`} of gate "${first?.name ?? ''}": ${first?.command ?? ''}`,
  });
}

function newRun(deps: RunDeps, order: RunOrder, id: string, provider: Provider): Run {
  const { differences } = order.ordered?.run.config ?? {};
  const config: JsonObject = {
    provider: provider.name, provider_settings: provider.kept ?? {},
    prd: { path: order.prd.path, sha256: order.prd.sha256, kept_sha256: sha256Hex(order.prd.text) }, ...order.settings,
    ...(order.circumstances === undefined ? {} : { circumstances: order.circumstances(provider.name) }), ...(differences === undefined ? {} : { differences }),
  };
  if (order.ordered !== undefined) return { ...order.ordered.run, config };
  return {
    id, project_id: order.project.id, tenant_id: order.project.tenant_id, status: 'pending', trigger: order.trigger, config,
    result_summary: noProgress, parent_run_id: order.parent_run_id ?? null,
    started_at: null, ended_at: null, created_at: new Date(deps.clock.now()).toISOString(),
  };
}

function sessionOf(deps: RunDeps, place: RunPlace, ids: { readonly runId: string; readonly sessionId: string }, asked: SpanContext | undefined): SessionRecord {
  const { facts } = deps;
  return {
    id: ids.sessionId, project_id: place.project.id, run_id: ids.runId, pid: facts.pid, process_start: facts.startOf(facts.pid) ?? '', hostname: facts.hostname,
    state: 'running', requested_by: place.actor, started_at: new Date(deps.clock.now()).toISOString(), ...keptContext(asked),
  };
}

/** `asked`: the spans of whoever asked for the run, and of whoever asked to take it up. */
type ContextParts = Pick<RunContext, 'sessionId' | 'settings' | 'prd' | 'provider' | 'repository'> & { readonly asked: { readonly parent: SpanContext | undefined; readonly by?: SpanContext | undefined } };

function contextOf(deps: RunDeps, place: RunPlace, run: Run, revision: number, { asked, ...parts }: ContextParts): RunContext {
  const halt = new AbortController();
  const timeline = new Timeline({
    clock: deps.clock, random: deps.random, store: deps.store, record: (event) => deps.record(event, trace.context), onBroken: () => halt.abort(),
    ...(deps.fence === undefined ? {} : { fence: deps.fence }),
    ...(deps.narrate === undefined ? {} : { narrate: deps.narrate }),
  }, run, revision);
  const attempt = timeline.progress.attempt + 1;
  const trace = new RunTrace(deps.tracer, {
    name: spanNames.project, runId: run.id, attempt, parent: asked.parent, askedBy: asked.by, attributes: projectAttributes(run, parts.sessionId, parts.provider.name, attempt),
  });
  return { deps, place, ...parts, timeline, trace, halt, halted: undefined, pauseWanted: undefined, resumedBy: undefined, tasks: [] };
}

/** The document as the run began with it: a person may go on editing the original. */
function prdPath(place: Pick<RunPlace, 'project'>, runId: string): string {
  return `${place.project.dir}/.loki/runs/${runId}/prd.md`;
}

function keepPrd(deps: RunDeps, order: RunOrder, runId: string): void {
  const path = prdPath(order, runId);
  deps.disk.ensureDirectory(order.project.dir, path.slice(0, path.lastIndexOf('/')), 0o700);
  deps.disk.create(order.project.dir, path, new TextEncoder().encode(order.prd.text), 0o600);
}

/** The document that a run began with. Throws `conflict` when the copy in the project is gone or was changed. */
export function keptPrd(deps: { readonly disk: Pick<RunDeps['disk'], 'readRecord'> }, place: Pick<RunPlace, 'project'>, run: Pick<Run, 'id' | 'config'>, attempted: string): Prd {
  const about = new StoredObject('run document', new StoredObject('run configuration', run.config).object('prd'));
  const bytes = deps.disk.readRecord(place.project.dir, prdPath(place, run.id), prdBytes);
  const wrong = (found: string): LokiError => new LokiError('conflict', { attempted, found, hint: 'Start a new run: loki start PRD' });
  if (bytes === undefined) throw wrong('its copy of the PRD is gone');
  if (sha256Hex(bytes) !== about.text('kept_sha256')) throw wrong('its copy of the PRD was changed');
  return { path: about.text('path'), sha256: about.text('sha256'), text: new TextDecoder().decode(bytes) };
}

/** The settings a run was started with. */
function readSettings(config: JsonObject): RunSettings {
  const from = new StoredObject('run configuration', config);
  const council = new StoredObject('run council', from.object('council'));
  return {
    max_iterations: from.count('max_iterations'),
    budget: from.countOrNull('budget'),
    gates: from.objects('gates').map((gate) => ({ name: gate.text('name'), command: gate.text('command'), timeout_ms: gate.count('timeout_ms') })),
    council: { reviewers: council.texts('reviewers'), required: council.count('required') },
    branch_protection: from.flag('branch_protection'),
    retries: from.count('retries'),
  };
}
