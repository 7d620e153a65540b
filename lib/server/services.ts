/** What the server needs of the rest of the program. It decides nothing about runs or records: it asks these and presents. */
import type { JsonObject } from '../base/json.ts';
import type { SpanContext, Tracer } from '../base/trace.ts';
import type { Recorder } from '../audit/entry.ts';
import type { ExportFormat } from '../audit/export/render.ts';
import type { AuditFilter } from '../audit/query.ts';
import type { AuditSummary } from '../audit/summary.ts';
import type { Approvals } from '../approvals/approvals.ts';
import type { Prove } from '../approvals/proof.ts';
import type { Clock, Random, Timers } from '../ports.ts';
import type { ReportedEvent } from '../runs/append.ts';
import type { CommitOrder, Ordered, RunTerms } from '../runs/orders.ts';
import type { Replayed } from '../runs/replay.ts';
import type { Run, RunEvent, RunTrigger } from '../runs/run.ts';
import type { ReadToken } from './auth/authenticate.ts';
import type { KeyRoom } from './auth/key-room.ts';
import type { SignOnService } from './auth/sign-on-service.ts';
import type { Principal } from './principal.ts';
import type { MetricsService } from './routes/metrics.ts';
import type { Store } from '../store/store.ts';

/** Reads the log of record. */
export interface AuditService {
  /** Matching entries, the newest first; encrypted ones stay closed to somebody `anonymous`. Ending the iteration early closes what it opened; so does the signal, where nothing matches. */
  query(filter: AuditFilter, anonymous: boolean, signal: AbortSignal): AsyncIterable<JsonObject> | Iterable<JsonObject>;
  /** Records that somebody reads entries, where the installation asks for that. Resolves before they may see them. */
  access(by: string, filter: AuditFilter, entries: number): Promise<void>;
  /** Entries on their way out, oldest first. Resolves once it is recorded that they are taken; rejects when that cannot be. */
  export(order: ExportOrder): Promise<ExportStream>;
  /** Counts of the entries of the last `periodMs`; by actor as `anonymous` may see them; of one tenant's entries, or with null of all. */
  summary(periodMs: number, anonymous: boolean, tenant: string | null): Promise<AuditSummary>;
  /** The verdict over every chain, in the shape of contract section 6. */
  verify(): Promise<JsonObject>;
  /** The newest checkpoint, with the key that checks it; undefined when there is none. Makes none. */
  checkpoint(): Promise<JsonObject | undefined>;
  /** The proof file of an entry under that checkpoint. Rejects with `not_found` for an entry that it does not cover. */
  proof(seq: number): Promise<string>;
}

export interface ExportOrder {
  readonly by: string;
  readonly format: ExportFormat;
  readonly filter: AuditFilter;
  readonly signal: AbortSignal;
}

export interface ExportStream {
  readonly mediaType: string;
  /** What a browser may call the file. */
  readonly fileName: string;
  readonly parts: AsyncIterable<Uint8Array>;
}

/** Projects' directories on this machine. */
export interface ProjectService {
  /** Projects that people enrolled here are known to the store when it resolves. */
  adopt(): Promise<void>;
  /** The project that a directory is. Throws `request.invalid` for what is no directory that runs could work in. */
  placeOf(path: string): { readonly id: string; readonly path: string };
  /** From now on what is decided in the project is filed under the tenant; null: under the installation. Durable. */
  assign(projectId: string, tenantId: string | null): void;
  /** Whether a person enrolled it on this machine. */
  isEnrolled(projectId: string): boolean;
}

export interface StatusReport {
  readonly version: string;
  readonly started_at: string;
  readonly uptime_seconds: number;
  readonly authentication: 'off' | 'required';
  readonly audit: { readonly enabled: boolean; readonly last_seq: number | null };
  /** How many are open now. */
  readonly event_streams: number;
}

/** The policies in force on this machine. Without a project they are the control plane's own project's. */
export interface PolicyService {
  describe(projectId: string | undefined): Promise<JsonObject>;
  /** Puts another policy of the project in force. `who` stands behind it, with their proof. */
  replace(projectId: string, text: string, who: { readonly by: string; readonly prove: Prove }): Promise<void>;
  evaluate(projectId: string | undefined, point: string, context: JsonObject, explain: boolean): Promise<JsonObject>;
}

/** Answers hooks of agents that ask over HTTP. */
export interface HookService {
  /** The project that a token was given out for; undefined for one that was not, or not any more. */
  projectOf(token: string): string | undefined;
  /** Whether it is an event that these hooks ask about. */
  knows(event: string): boolean;
  /** Reads the event, once there is room for it, and judges it. One JSON object, in the agent's words. Rejects with `interrupted` when too many ask at once. */
  answer(question: HookQuestion): Promise<string>;
}

export interface HookQuestion {
  readonly projectId: string;
  /** The event that the hook was installed for. */
  readonly event: string;
  read(limit: number): Promise<string>;
  /** How the agent was started, in its own words: whether somebody is there to be asked. */
  readonly entrypoint: string | undefined;
  /** Aborts when the agent does not wait any more. */
  readonly signal: AbortSignal;
  /** The longest time that it takes to answer is known. */
  expect(milliseconds: number): void;
}

/** Orders, cancels and repeats runs. `tenant` is that of whoever asks, null for the installation's own. */
export interface RunService {
  /** Durable when it resolves, and waiting for a worker. Rejects with `project.unknown`, and `request.invalid` for what the project does not allow. */
  order(order: RunOrderRequest, commit: CommitOrder): Promise<Ordered>;
  /** Nothing of the run works on when it resolves. Rejects with `conflict` for a run that has ended. */
  cancel(tenant: string | null, runId: string, actor: string): Promise<Run>;
  replay(tenant: string | null, runId: string, by: OrderedBy, commit: CommitOrder): Promise<Replayed>;
  append(tenant: string | null, runId: string, events: readonly ReportedEvent[]): Promise<readonly RunEvent[]>;
  /** The run whose token this is, while it has not ended. */
  runOf(token: string): Promise<{ readonly run: string; readonly tenant: string | null } | undefined>;
}

/** Who orders a run, what the log calls the request that says so, and its span where requests are traced. */
export interface OrderedBy {
  readonly actor: string;
  readonly requestId: string;
  readonly trace?: SpanContext | undefined;
}

export interface RunOrderRequest extends OrderedBy {
  readonly project_id: string;
  readonly tenant: string | null;
  /** The requirements document as text. */
  readonly document?: string;
  readonly terms: RunTerms;
  readonly trigger: Extract<RunTrigger, 'api' | 'schedule' | 'webhook' | 'manual'>;
}

export interface Services {
  readonly store: Store;
  readonly policies: PolicyService;
  readonly projects: ProjectService;
  readonly keys: KeyRoom;
  /** Readers of bearer tokens, beside those of this machine. */
  readonly tokens: readonly ReadToken[];
  /** Browsers' sessions, and what identity providers say about somebody. */
  readonly signOn: SignOnService;
  /**
   * Throws `auth.proof` when nothing about the principal shows that a person stands behind it just now, and somebody here could show
   * that; for what gives out the right to decide, also where nobody could.
   */
  assertFresh(principal: Principal, attempted: string, gives?: 'approve'): void;
  readonly audit: AuditService;
  /** Where the budgets of an enrolled project stand, or those of all of a tenant's (null: of everybody's); a project whose budgets cannot be told is one object with `problem`. */
  budgets(projectId: string | undefined, tenant: string | null): Promise<readonly JsonObject[]>;
  /** A tenant's approvals, or with null the installation's own. Asking and using up are the gate's; over the API people look and decide. */
  approvals(tenant: string | null): Pick<Approvals, 'get' | 'decide'>;
  readonly hooks: HookService;
  readonly runs: RunService;
  readonly metrics: MetricsService;
  readonly record: Recorder;
  /** Of the program. */
  readonly version: string;
  status(): Promise<StatusReport>;
  /** Bytes of a file of the web page, by its name in `lib/web`. Asked once for each file, at start. */
  readWebFile(name: string): Uint8Array;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly tracer: Tracer;
}
