/**
 * Intent before effect: a decision is recorded before its action, and what became of it afterwards. Where the second is
 * missing the action may have happened, in part or not at all, and after a crash that is what people need to know. An agent
 * whose hooks never report outcomes would only make noise: its actions count when its session was interrupted.
 */
import { isPlainObject, type JsonObject } from '../../base/json.ts';
import { queryLog, type LoggedEntry } from '../../audit/query.ts';
import type { Installation } from '../installation.ts';
import { openEntries } from './protection.ts';

/** An action that was allowed, and of which nothing says what became. */
export interface UnknownOutcome {
  /** The number of its decision. */
  readonly seq: number;
  readonly timestamp: string;
  /** `somebody` where the name is sealed. */
  readonly actor: string;
  readonly kind: string;
  /** What it was about: the command, the path, the address. Bounded, and not made printable. */
  readonly what: string;
  readonly session: string | null;
}

export interface UnknownOutcomes {
  /** The newest ones, oldest first. */
  readonly shown: readonly UnknownOutcome[];
  /** How many there are in all. */
  readonly count: number;
}

export interface UnknownQuestion {
  /** Only this project's, by its id. */
  readonly project?: string;
  /** No session of that project is at work: one without an end was interrupted, however lately. */
  readonly nobodyWorks?: boolean;
}

const mostShown = 20;
const longestWhat = 160;
/** How far back is looked: in entries, and in time. */
const mostEntries = 10_000;
const lookBackMs = 24 * 3600_000;
/** An action may take so long, and a session be silent, before that means something. */
const usualPatienceMs = 10 * 60_000;

/** What tells what an action of a kind was about. Kinds that are not here change nothing outside. */
const subjectOf: Readonly<Record<string, readonly string[]>> = {
  'exec': ['command'], 'fs.write': ['file_path'], 'fs.delete': ['file_path'], 'net': ['url'], 'mcp': ['mcp_server', 'mcp_tool'], 'agent': ['agent'],
};
const ends: ReadonlySet<string> = new Set(['session.stop', 'session.complete', 'session.fail']);

interface Session {
  /** Milliseconds since the epoch of its newest entry. */
  readonly lastAt: number;
  reports: boolean;
  started: boolean;
  ended: boolean;
}

/** Looks back from the newest entry. Reads the log only; throws what reading throws. */
export function unknownOutcomes(installation: Installation, question: UnknownQuestion = {}): UnknownOutcomes {
  const now = installation.host.clock.now();
  const told = new Set<number>();
  const sessions = new Map<string, Session>();
  const open: UnknownOutcome[] = [];
  for (const entry of recentEntries(installation, now)) {
    const metadata = objectIn(entry, 'metadata');
    if (question.project !== undefined && metadata['project_id'] !== question.project) continue;
    const session = sessionIn(sessions, textIn(metadata, 'session_id') ?? '', Date.parse(entry.timestamp));
    session.started ||= entry.event === 'session.start';
    session.ended ||= ends.has(entry.event);
    const ref = entry.event === 'agent.action' ? objectIn(entry, 'details')['ref'] : undefined;
    if (typeof ref === 'number') {
      told.add(ref);
      session.reports = true;
    }
    const intent = told.has(entry.seq) ? undefined : intentOf(entry, textIn(metadata, 'session_id'));
    if (intent !== undefined) open.push(intent);
  }
  const patience = question.nobodyWorks === true ? 0 : usualPatienceMs;
  const unknown = open.filter((intent) => isUnknown(intent, sessions.get(intent.session ?? ''), now, patience));
  return { shown: unknown.slice(0, mostShown).reverse(), count: unknown.length };
}

/** What an agent that reports outcomes left open for long, and all that an interrupted session left open. */
function isUnknown({ timestamp }: UnknownOutcome, session: Session | undefined, now: number, patienceMs: number): boolean {
  if (session === undefined) return false;
  const isInterrupted = session.started && !session.ended && now - session.lastAt >= patienceMs;
  return isInterrupted || (session.reports && (session.ended || now - Date.parse(timestamp) >= usualPatienceMs));
}

function* recentEntries(installation: Installation, now: number): Generator<LoggedEntry> {
  const { host: { disk }, home } = installation;
  let count = 0;
  for (const entry of queryLog(disk, home.audit, { from: new Date(now - lookBackMs).toISOString() }, { opener: openEntries(installation) })) {
    count += 1;
    if (count > mostEntries) return;
    yield entry;
  }
}

function intentOf({ seq, timestamp, event, actor, ...entry }: LoggedEntry, session: string | undefined): UnknownOutcome | undefined {
  if (event !== 'policy.allow' && event !== 'policy.warn') return undefined;
  const action = objectIn(objectIn(entry, 'details'), 'action');
  const kind = textIn(action, 'kind') ?? '';
  const members = Object.hasOwn(subjectOf, kind) ? subjectOf[kind] : undefined;
  if (members === undefined) return undefined;
  const what = members.map((member) => textIn(action, member)).filter((text) => text !== undefined).join(' ');
  return { seq, timestamp, actor: typeof actor === 'string' ? actor : 'somebody', kind, what: what.length > longestWhat ? `${what.slice(0, longestWhat)}…` : what, session: session ?? null };
}

/** Entries come newest first, so a session's first one here is its last. */
function sessionIn(sessions: Map<string, Session>, id: string, time: number): Session {
  const known = sessions.get(id) ?? { lastAt: time, reports: false, started: false, ended: false };
  sessions.set(id, known);
  return known;
}

function objectIn(value: JsonObject, member: string): JsonObject {
  const found = value[member];
  return isPlainObject(found) ? found : {};
}

function textIn(value: JsonObject, member: string): string | undefined {
  const found = value[member];
  return typeof found === 'string' ? found : undefined;
}
