/**
 * Recorded actions judged again: the decisions of this project in the log of record, by the policies in force and by others.
 * Nothing happens, and nothing is asked of today's disk: recorded paths are what they were.
 */
import { LokiError } from '../errors.ts';
import type { PathProbe } from '../base/paths.ts';
import { isPlainObject, type JsonObject } from '../base/json.ts';
import { createBlobReader } from '../audit/blob.ts';
import { isEnvelope } from '../audit/protection/envelope.ts';
import type { AuditFilter, LoggedEntry } from '../audit/query.ts';
import { createJudge, type Judge } from '../policy/judge.ts';
import { createPolicy, type Policy } from '../policy/evaluate.ts';
import { scanners } from '../policy/scan/scanners.ts';
import type { RecordedDecision } from '../policy/simulate/recorded.ts';
import { createSimulation, enforced, type SimulationReport } from '../policy/simulate/simulate.ts';
import type { PolicyFile } from '../policy/rules.ts';
import { openReading, type LogReading, type OnUnreadable } from './audit/reading.ts';
import { builtinsOf } from './action-judge.ts';
import { requireProject, type Installation } from './installation.ts';
import { partsOf } from './policy.ts';

/** What is compared with what. */
export interface SimulationRequest {
  /** The policies in force. */
  readonly inForce: readonly PolicyFile[];
  /** Takes the place of the project's policy; the watched rules are enforced instead when left out. */
  readonly candidate?: PolicyFile;
  /** Compare with what was decided then, and not with what the policies in force say. */
  readonly recorded: boolean;
  readonly from?: string;
  readonly to?: string;
  /** At most so many decisions, the newest. */
  readonly limit?: number;
}

/** While it runs. */
export interface SimulationWatch {
  readonly signal: AbortSignal;
  /** Entries of the log gone through, of all that there are. */
  readonly progress: (done: number, total: number) => void;
  readonly onUnreadable: OnUnreadable;
}

export interface Simulated extends SimulationReport {
  /** Decisions that were made by other policies than those in force. */
  readonly judged_by_other_policy: number;
}

/** Paths are what they were. */
const asRecorded: PathProbe = { realpath: (path) => path, readlink: () => undefined };

/** So many entries are gone through before others have a turn. */
const entriesATurn = 200;

/** Goes through the log, the newest first. Throws `interrupted`, and `project.unknown` where there is no project. */
export async function simulate(installation: Installation, request: SimulationRequest, watch: SimulationWatch): Promise<Simulated> {
  const { project } = requireProject(installation);
  const { inForce, candidate } = request;
  const wanted = candidate === undefined ? enforced(inForce) : [...inForce.filter(({ layer }) => layer !== 'project'), candidate];
  const [before, after] = [judgeOf(installation, project.dir, inForce), judgeOf(installation, project.dir, wanted)];
  const simulation = createSimulation({ before: request.recorded ? 'recorded' : before, after, projectDir: project.dir, projectId: project.id });
  const filter: AuditFilter = { event: 'policy.*', ...(request.from === undefined ? {} : { from: request.from }), ...(request.to === undefined ? {} : { to: request.to }) };
  let [taken, others] = [0, 0];
  for await (const entry of decisions(installation, filter, project.id, watch)) {
    if (taken === request.limit) break;
    taken += 1;
    if (entry.details !== undefined && entry.details['policy_digest'] !== before.policy.digest) others += 1;
    simulation.add(entry);
  }
  return { ...simulation.report(), judged_by_other_policy: others };
}

function judgeOf(installation: Installation, projectDir: string, files: readonly PolicyFile[]): { readonly judge: Judge; readonly policy: Policy } {
  const { clock } = installation.host;
  const monotonic = (): number => clock.monotonic();
  const policy = createPolicy(files, { ...partsOf(installation), probe: asRecorded });
  return { policy, judge: createJudge({ policy, builtins: builtinsOf(installation, projectDir), probe: asRecorded, monotonic, scanners }) };
}

/** The decisions about actions in a project, the newest first. */
async function* decisions(installation: Installation, filter: AuditFilter, projectId: string, { signal, progress, onUnreadable }: SimulationWatch): AsyncGenerator<RecordedDecision> {
  const { host: { disk, timers }, home } = installation;
  const reading = await openReading(installation, onUnreadable);
  const blobs = createBlobReader(disk, home.home, home.blobs);
  let [newest, looked] = [0, 0];
  for (const hit of reading.search(filter)) {
    if (hit !== undefined) {
      newest ||= hit.entry.seq;
      progress(newest - hit.entry.seq, newest);
      const decision = decisionIn(hit.entry, projectId, (entry) => reopened(entry, blobs.withBlob, reading));
      if (decision !== undefined) yield decision;
    }
    looked += 1;
    if (hit !== undefined && looked % entriesATurn !== 0) continue;
    await timers.yield();
    if (signal.aborted) throw new LokiError('interrupted', { attempted: 'simulate a policy', found: 'it was interrupted' });
  }
}

/** An entry with the details that lie beside the log. */
function reopened(entry: LoggedEntry, withBlob: (entry: JsonObject) => JsonObject, reading: LogReading): JsonObject {
  const whole = withBlob(entry);
  return whole === entry ? entry : reading.open({ ...entry, ...whole });
}

function decisionIn(entry: LoggedEntry, projectId: string, whole: (entry: LoggedEntry) => JsonObject): RecordedDecision | undefined {
  const { seq, timestamp, event, actor, resource, metadata } = { resource: entry['resource'], metadata: entry['metadata'], ...entry };
  if (event === 'policy.change' || !isPlainObject(metadata) || metadata['project_id'] !== projectId) return undefined;
  const details = whole(entry)['details'];
  const session = typeof resource === 'string' && resource.startsWith('session:') ? resource.slice('session:'.length) : 'none';
  return { seq, timestamp, actor: typeof actor === 'string' ? actor : 'none', sessionId: session, details: isPlainObject(details) && !isEnvelope(details) ? details : undefined };
}
