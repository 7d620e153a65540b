/**
 * What an agent has used, from its own files or events, counted against the budgets; and whether it may go on. Agents tell of tokens when a
 * turn is over, so that is when they are counted, and the next prompt is where a spent budget stops them.
 */
import { sha256Hex } from '../../base/digest.ts';
import { isCount, isPlainObject, objectIn, type JsonObject } from '../../base/json.ts';
import { dirname, join } from '../../base/paths.ts';
import type { HookEvent, ReportedUsage } from '../../agents/hook.ts';
import { byModel, transcriptReaders, type TranscriptReader } from '../../agents/transcripts.ts';
import type { Ledger } from '../../budgets/ledger.ts';
import { addTokens, noTokens, totalTokens, type UsageReport } from '../../budgets/usage.ts';
import { windowOf } from '../../budgets/window.ts';
import type { Policy } from '../../policy/evaluate.ts';
import { scanners } from '../../policy/scan/scanners.ts';
import type { ResourceJudgement } from '../../runs/deps.ts';
import { runKeys } from '../../runs/run.ts';
import { processLives, readSession } from '../../runs/session.ts';
import type { Store } from '../../store/store.ts';
import { judgeResource, openLedger } from '../budgets.ts';
import type { Installation } from '../installation.ts';
import { openProjectStore } from '../store.ts';
import { entryOf, type HookScene } from './scene.ts';

type Reporting = Extract<HookEvent, { readonly does: 'turn' | 'complete' }>;

/** What was used since the last look, and how to remember that it was counted. */
interface Used {
  readonly usage: readonly ReportedUsage[];
  /** The same for the same stretch of the same file: counted once, whenever we are killed. */
  readonly id: string;
  readonly remember: () => void;
}

/** Counts what a turn or a subagent has used, and tells what budgets have to tell. Within a governed run the run counts. */
export async function countUsage(told: HookScene, event: Reporting, policy: Policy): Promise<void> {
  const { installation, log } = told;
  const store = await openProjectStore(installation, log.record);
  try {
    const scene = await sceneNow(told, event, store);
    const used = scene.inRun ? undefined : usedIn(scene, event);
    if (used === undefined) return;
    const ledger = openLedger(installation, store);
    await ledger.count(reportOf(scene, event, used));
    used.remember();
    await tell(scene, await judgeSpending(scene, ledger, policy, event.model));
  } finally {
    await store.close();
  }
}

/** Why the agent may not go on: a budget is spent, or its provider is not allowed. Undefined when it may. */
export async function refusedSpending(told: HookScene, event: HookEvent, policy: Policy): Promise<string | undefined> {
  const { installation, log } = told;
  const { residency } = installation.config;
  const isAsked = policy.rules.some(({ point }) => point === 'resource') || residency.allowedProviders.length > 0 || residency.allowedRegions.length > 0 || residency.airGapped;
  if (!isAsked) return undefined;
  const store = await openProjectStore(installation, log.record);
  try {
    const scene = await sceneNow(told, event, store);
    if (scene.inRun) return undefined;
    const judgement = await judgeSpending(scene, openLedger(installation, store), policy, event.model);
    await tell(scene, judgement);
    const { decision } = judgement;
    if (decision.allowed) return undefined;
    await log.record(entryOf(scene, decision.decision === 'DENY' ? 'policy.deny' : 'policy.approval_required', {
      point: 'resource', subject: `provider ${scene.agent}`, decision: decision.decision, reason: decision.reason, policy_digest: decision.policy_digest,
      violations: decision.violations.map(({ name, action, reason, place }) => ({ name, action, reason, place })),
    }));
    return decision.reason;
  } finally {
    await store.close();
  }
}

/** Whoever starts an agent can name it a run. Where no such run is at work nobody else counts, and the session is the agent's own. */
async function sceneNow(scene: HookScene, { sessionId = 'none' }: HookEvent, store: Store): Promise<HookScene> {
  const { installation: { project, host: { facts } }, inRun } = scene;
  if (!inRun) return scene;
  const entry = project === undefined ? undefined : await store.get(runKeys.session(project.id));
  const session = entry === undefined ? undefined : readSession(entry.value);
  return session?.id === scene.sessionId && processLives(session, facts) ? scene : { ...scene, inRun: false, sessionId: sessionId.slice(0, 256) };
}

async function tell(scene: HookScene, judgement: ResourceJudgement): Promise<void> {
  for (const { event, details } of judgement.tellings) await scene.log.record(entryOf(scene, event, details));
  if (judgement.tellings.length > 0) await judgement.told();
}

/** The resource point for the session as the ledger knows it. */
async function judgeSpending({ installation, agent, sessionId, trace }: HookScene, ledger: Ledger, policy: Policy, model: string | undefined): Promise<ResourceJudgement> {
  const project = installation.project?.id ?? 'none';
  const { cells } = await ledger.read(windowOf('session', { projectId: project, sessionId, at: ledger.now() }));
  const evaluated = trace?.evaluation('resource', trace.contextOf(sessionId));
  const judgement = await judgeResource(installation, ledger, policy, {
    provider: agent, ...(model === undefined ? {} : { model }), tokens_consumed: totalTokens(cells.reduce((sum, { tokens }) => addTokens(sum, tokens), noTokens)),
    cost_usd: 0, agent: 'agent', project, session_id: sessionId,
  });
  evaluated?.(judgement.decision);
  return judgement;
}

function reportOf({ installation: { host: { clock }, project }, agent, sessionId }: HookScene, event: Reporting, { usage, id }: Used): UsageReport {
  return {
    id, at: clock.now(), projectId: project?.id ?? 'none', sessionId, agent: event.does === 'complete' ? event.worker.type : 'agent', provider: agent,
    usage: usage.map(({ model, input, output, cacheRead, cacheWrite }) => ({
      model: model === undefined || scanners.redact(model) !== model ? null : model, tokens: { input, output, cache_read: cacheRead, cache_write: cacheWrite },
    })),
    calls: 1, unmetered: usage.length === 0 ? 1 : 0,
  };
}

function usedIn(scene: HookScene, event: Reporting): Used | undefined {
  const { installation: { host: { random } }, agent } = scene;
  if (event.usage !== undefined) return { usage: byModel(event.usage), id: `told.${Buffer.from(random.bytes(16)).toString('hex')}`, remember: () => undefined };
  const reader = Object.entries(transcriptReaders).find(([name]) => name === agent)?.[1];
  return reader === undefined || event.transcript === undefined ? undefined : usedInFile(scene.installation, event.transcript, reader, event.does === 'complete');
}

/** So much of a file is read at a time, and looked at in one turn. */
const pieceBytes = 1 << 20;
const mostBytes = 256 << 20;

/** The lines of a file since the last look. What is no plain file is none of an agent's. */
function usedInFile(installation: Installation, path: string, reader: TranscriptReader, whole: boolean): Used | undefined {
  const { host: { disk } } = installation;
  const real = disk.realpath(path);
  if (real === undefined || disk.stat(real)?.kind !== 'file') return undefined;
  const known = memoryOf(installation, real);
  const file = disk.openRead(real);
  if (file === undefined) return undefined;
  let at = known.offset <= file.stat().size ? known.offset : 0;
  function* lines(): Generator<string> {
    let rest = Buffer.alloc(0);
    for (let read = 0; read < mostBytes;) {
      const bytes = file?.read(at + rest.length, pieceBytes) ?? new Uint8Array();
      if (bytes.length === 0) return;
      read += bytes.length;
      const piece = Buffer.concat([rest, bytes]);
      const end = piece.lastIndexOf(10) + 1;
      rest = piece.subarray(end);
      at += end;
      yield* piece.subarray(0, end).toString('utf8').split('\n');
      // A line of more than this is nothing that is read here.
      if (rest.length > mostBytes / 4) return;
    }
  }
  try {
    const { usage, memory } = reader(lines(), known.memory, whole);
    if (at === known.offset) return undefined;
    const id = `file.${sha256Hex(`${real}\0${known.offset}\0${at}`)}`;
    return { usage, id, remember: () => remember(installation, real, { path: real, offset: at, memory }) };
  } finally {
    file.close();
  }
}

function placeOf({ home }: Installation, path: string): string {
  return join(home.run, 'usage', `${sha256Hex(path).slice(0, 40)}.json`);
}

function remember(installation: Installation, path: string, known: JsonObject): void {
  const { host: { disk }, home } = installation;
  const place = placeOf(installation, path);
  disk.ensureDirectory(home.home, dirname(place), 0o700);
  disk.replace(home.home, place, Buffer.from(JSON.stringify(known)), 0o600);
}

function memoryOf(installation: Installation, path: string): { readonly offset: number; readonly memory: JsonObject } {
  const { host: { disk }, home } = installation;
  const bytes = disk.stat(placeOf(installation, path)) === undefined ? undefined : disk.readRecord(home.home, placeOf(installation, path), 1 << 16);
  const kept = bytes === undefined ? undefined : objectIn(bytes);
  const [offset, memory] = [kept?.['offset'], kept?.['memory']];
  return { offset: isCount(offset) ? offset : 0, memory: isPlainObject(memory) ? memory : {} };
}
