/**
 * Approvals: asking, deciding, waiting, and using an approval once. An approval is good for one canonical action under one
 * policy in one session, and for nothing else. It trusts the caller for who decides and for the fresh proof that came along;
 * it refuses the requester, agents, people off the list, a second outcome, and everything that comes too late.
 */
import type { Clock, Random, Timers } from '../ports.ts';
import { LokiError } from '../errors.ts';
import { isId, newId } from '../base/ids.ts';
import { isPlainObject } from '../base/json.ts';
import type { JsonObject } from '../base/json.ts';
import { approvalKeys, isOver } from './approval.ts';
import type { ApprovalBinding, ApprovalStatus, ApprovalTerms, ApprovalView } from './approval.ts';
import { whyNotGiven } from './evidence.ts';
import type { WasUsed } from './evidence.ts';
import { isSealed, Ledger, noSuchApproval, shownIn } from './ledger.ts';
import type { Announce } from './ledger.ts';
import type { ApprovalObjects, ApprovalRecorder } from './ports.ts';
import { assertFreshProof } from './proof.ts';
import type { Approver } from './proof.ts';
import { assertMayDecide, assertOpen, assertPerson, decided, disowned, requested, textOfDecision, timeUp, usableForMs, used } from './steps.ts';
import type { DecideRequest, IsApprover } from './steps.ts';

/** What somebody wants to do, and who may allow it. */
export interface ApprovalRequest extends ApprovalBinding, ApprovalTerms {
  readonly projectId: string;
  readonly rule: string;
  readonly reason: string;
  /** The canonical action, secrets redacted. */
  readonly action: JsonObject;
  /** Undecided after so long means no. At most 30 days. */
  readonly timeoutMs: number;
  readonly requestedBy: string;
  /** Where to tell of it, and of every decision about it. */
  readonly webhook?: string;
}

export interface ApprovalFilter {
  readonly status?: ApprovalStatus;
  readonly project?: string;
  /** At most so many, 50 when left out. */
  readonly limit?: number;
  /** Goes on after this id. */
  readonly after?: string;
}

/** What became of asking: `approved` means that the approval has been used up by this very call. */
export interface ApprovalAnswer {
  readonly id: string;
  readonly outcome: 'approved' | 'rejected' | 'expired' | 'pending';
  readonly reason: string;
  /** The people whose word that is; none where time or a missing signature ended it. */
  readonly decidedBy?: readonly string[];
}

export interface ApprovalsOptions {
  readonly objects: ApprovalObjects;
  /** Writes to the log of record. */
  readonly record: ApprovalRecorder;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Whether somebody is on a list of approvers that is not empty. */
  readonly isApprover: IsApprover;
  /** The approvers one of whose signatures a yes must carry; while there are none, a confirmation at the terminal is proof enough. */
  readonly approverKeys: () => readonly Approver[];
  /** Looks into the log of record; where it is left out, what the store says of use is believed. */
  readonly wasUsed?: WasUsed;
  /** Told of each change once it is recorded, before it is shown; at least once. Must not throw. */
  readonly announce?: Announce;
  /** How long an approved action may take to be begun; ten minutes when left out. */
  readonly executionMs?: number;
  /** A change that is stored and not recorded is left so long to the process that made it; a second when left out. */
  readonly helpAfterMs?: number;
}

export interface Approvals {
  /** Asks. The same action, policy and session asked for again while that is undecided or unused is the same approval. */
  request(request: ApprovalRequest): Promise<ApprovalView>;
  /** Decides. Throws `approval.decided` when it is too late, `auth.forbidden` when this person or proof may not. */
  decide(request: DecideRequest): Promise<ApprovalView>;
  /** Resolves with the decided approval within 100 ms of the decision, or as it stands after `timeoutMs`. */
  wait(id: string, timeoutMs: number, signal?: AbortSignal): Promise<ApprovalView>;
  /**
   * Uses up an approval that was given; undefined when there is none. Of many callers one gets it. What is kept as approved
   * without what the terms ask for, and without the approver's signature where there is one, is ended as a no.
   */
  consume(wanted: ApprovalBinding & ApprovalTerms): Promise<ApprovalView | undefined>;
  /** Consumes an approval that was given before, or asks, waits up to `waitMs`, and consumes. */
  obtain(request: ApprovalRequest, waitMs: number, signal?: AbortSignal): Promise<ApprovalAnswer>;
  /** Ends what nobody decided in time, and finishes what a crash interrupted. Gives those that expired. */
  expire(): Promise<readonly ApprovalView[]>;
  get(id: string): Promise<ApprovalView | undefined>;
  /** Newest first. */
  list(filter?: ApprovalFilter): Promise<readonly ApprovalView[]>;
  /** Those pending now, then every one as it is asked for, changes, or is decided; some more than once. */
  watchPending(signal: AbortSignal, project?: string): AsyncIterable<ApprovalView>;
}

const longestTimeoutMs = 30 * 24 * 3600 * 1000;
const mostApprovers = 100;
const longestText = 2000;
const waitStepMs = 50;

/** Texts of a request or decision that people will read. */
function checkText(attempted: string, name: string, text: string): void {
  if (text.length <= longestText) return;
  throw new LokiError('request.invalid', { attempted, found: `${name} has ${text.length} characters, at most ${longestText} are taken` });
}

function checkRequest(request: ApprovalRequest): void {
  const attempted = 'ask for approval';
  const refuse = (found: string): LokiError => new LokiError('request.invalid', { attempted, found });
  const { approvers, required, timeoutMs, requestedBy } = request;
  if (!Number.isSafeInteger(required) || required < 1 || required > mostApprovers) throw refuse(`required is ${required}, not a whole number from 1 to ${mostApprovers}`);
  if (!(timeoutMs >= 1 && timeoutMs <= longestTimeoutMs)) throw refuse(`the time-out is ${timeoutMs} ms, not 1 ms to 30 days`);
  if (approvers.length > mostApprovers) throw refuse(`${approvers.length} approvers are named, at most ${mostApprovers} are taken`);
  if (requestedBy === '') throw refuse('who asks is not said');
  for (const name of ['actionHash', 'policyDigest', 'sessionId', 'projectId', 'rule', 'reason'] as const) checkText(attempted, name, request[name]);
  if (request.actionHash === '' || request.sessionId === '') throw refuse('the action hash and the session must not be empty: an approval is bound to them');
}

/** The approvals kept in `objects`. Any number of processes may work on them. */
export function createApprovals(options: ApprovalsOptions): Approvals {
  return new ApprovalRoom(options);
}

class ApprovalRoom implements Approvals {
  readonly #options: ApprovalsOptions;
  readonly #ledger: Ledger;
  readonly #executionMs: number;

  constructor(options: ApprovalsOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options);
    this.#executionMs = options.executionMs ?? 10 * 60_000;
  }

  async request(request: ApprovalRequest): Promise<ApprovalView> {
    checkRequest(request);
    const key = approvalKeys.binding(request);
    for (;;) {
      const binding = await this.#options.objects.get(key);
      const id = idIn(binding?.value);
      const known = id === undefined ? undefined : await this.#ended(id);
      if (known !== undefined && !isOver(known)) return known;
      const view = this.#viewOf(request);
      const webhook = request.webhook === undefined ? [] : [{ key: approvalKeys.webhook(view.id), value: { url: request.webhook } }];
      const created = await this.#ledger.create(requested(view), { key, revision: binding?.revision ?? 0 }, [{ key, value: { id: view.id } }, ...webhook]);
      if (created !== undefined) return created;
    }
  }

  async decide(request: DecideRequest): Promise<ApprovalView> {
    const { id, outcome, reason = '' } = request;
    if (!isId('approval', id)) throw noSuchApproval(id);
    checkText(`${outcome} ${id}`, 'the reason', reason);
    await this.#ended(id);
    return this.#ledger.move(id, (view) => {
      assertPerson(id, request.by);
      // The proof before the rest: what the rest says of an approval is for whoever has shown who they are.
      this.#assertProven(view, request);
      assertMayDecide(view, request, this.#options.isApprover);
      assertOpen(view, request, this.#now());
      return decided(view, request, this.#now(), this.#executionMs);
    });
  }

  async wait(id: string, timeoutMs: number, signal?: AbortSignal): Promise<ApprovalView> {
    const { clock, timers } = this.#options;
    const first = await this.#current(id);
    const start = clock.monotonic();
    const stopAt = start + timeoutMs;
    // A clock that is set back must not give anybody more time, so the rest of the time-out is measured without it.
    const overdueAt = start + Math.min(first.timeout_ms, Math.max(0, Date.parse(first.expires_at) - clock.now()));
    for (;;) {
      const view = await this.#ended(id, clock.monotonic() >= overdueAt);
      const now = clock.monotonic();
      if (view.status !== 'pending' || now >= stopAt) return view;
      if (signal?.aborted === true) throw new LokiError('interrupted', { attempted: `wait for approval ${id}`, found: 'waiting was broken off' });
      await timers.sleep(Math.max(1, Math.min(waitStepMs, stopAt - now, overdueAt - now)));
    }
  }

  async consume(wanted: ApprovalBinding & ApprovalTerms): Promise<ApprovalView | undefined> {
    for (;;) {
      const named = await this.#options.objects.get(approvalKeys.binding(wanted));
      const id = idIn(named?.value);
      if (id === undefined) return undefined;
      await this.#ended(id);
      const current = await this.#ledger.current(id);
      if (current === undefined || usableForMs(current.view, this.#now()) === 0) return undefined;
      const { isApprover, approverKeys, wasUsed = () => false } = this.#options;
      const doubt = whyNotGiven(current.view, { ...wanted, isApprover, wasUsed, approverKeys: approverKeys(), nowMs: this.#now(), executionMs: this.#executionMs });
      if (doubt !== undefined) {
        await this.#ledger.move(id, (view) => (view.status === 'approved' ? disowned(view, doubt) : undefined));
        return undefined;
      }
      const next = used(current.view, this.#now());
      if (await this.#ledger.replace(current, next)) return next;
    }
  }

  async obtain(request: ApprovalRequest, waitMs: number, signal?: AbortSignal): Promise<ApprovalAnswer> {
    const given = await this.consume(request);
    if (given !== undefined) return answerOf(given, 'approved');
    const asked = await this.request(request);
    const view = await this.wait(asked.id, waitMs, signal);
    if (view.status !== 'approved') return answerOf(view, view.status === 'used' ? 'expired' : view.status);
    const taken = await this.consume(request);
    if (taken?.id === view.id) return answerOf(taken, 'approved');
    const left = await this.get(view.id);
    if (left?.status === 'rejected') return answerOf(left, 'rejected');
    return { id: view.id, outcome: 'expired', reason: 'the approval was used or ran out meanwhile' };
  }

  async expire(): Promise<readonly ApprovalView[]> {
    const ended: ApprovalView[] = [];
    for (const id of await this.#openIds()) {
      const view = await this.#ended(id);
      if (view.status === 'expired') ended.push(view);
    }
    return ended;
  }

  async get(id: string): Promise<ApprovalView | undefined> {
    return isId('approval', id) ? this.#ledger.shown(id) : undefined;
  }

  async list({ status, project, limit = 50, after }: ApprovalFilter = {}): Promise<readonly ApprovalView[]> {
    if (after !== undefined && !isId('approval', after)) throw noSuchApproval(after);
    const prefix = status === 'pending' || status === 'approved' ? approvalKeys.opens : approvalKeys.approvals;
    const found: ApprovalView[] = [];
    let last = after === undefined ? undefined : prefix + after;
    while (found.length < limit) {
      const page = await this.#options.objects.list(prefix, { limit: 200, reverse: true, ...(last === undefined ? {} : { after: last }) });
      for (const object of page) {
        const view = prefix === approvalKeys.approvals ? shownIn(object) : await this.#ledger.shown(object.key.slice(prefix.length));
        if (view !== undefined && (status === undefined || view.status === status) && (project === undefined || view.project_id === project)) found.push(view);
      }
      last = page.at(-1)?.key;
      if (last === undefined) break;
    }
    return found.slice(0, limit);
  }

  async *watchPending(signal: AbortSignal, project?: string): AsyncGenerator<ApprovalView> {
    const { objects } = this.#options;
    let from = await objects.revision();
    while (!signal.aborted) {
      yield* (await this.list({ status: 'pending', limit: Number.POSITIVE_INFINITY, ...(project === undefined ? {} : { project }) })).toReversed();
      try {
        for await (const notices of objects.watch(approvalKeys.approvals, from, signal)) {
          for (const notice of notices) {
            const view = isSealed(notice) ? undefined : shownIn(notice);
            if (view !== undefined && (project === undefined || view.project_id === project)) yield view;
          }
        }
        return;
      } catch (error) {
        if (!(error instanceof LokiError) || error.code !== 'gone') throw error;
        from = await objects.revision();
      }
    }
  }

  #now(): number {
    return this.#options.clock.now();
  }

  /** The state after what time has brought about, which is recorded here. `late`: overdue by another measure than the clock. */
  #ended(id: string, late = false): Promise<ApprovalView> {
    return this.#ledger.move(id, (view) => timeUp(view, this.#now(), late, this.#executionMs));
  }

  /** A yes needs a fresh proof, and so does taking one back. A plain no does not: nobody gets anything by it. A proof that is given must be right. */
  #assertProven(view: ApprovalView, request: DecideRequest): void {
    const { outcome, by, proof, override } = request;
    if (outcome === 'reject' && override !== true && proof.kind === 'terminal') return;
    assertFreshProof(proof, {
      attempted: `${outcome} ${view.id}`, approverKeys: this.#options.approverKeys(), by, nowMs: this.#now(), statement: (at) => textOfDecision(view, request, at),
    });
  }

  async #current(id: string): Promise<ApprovalView> {
    const current = isId('approval', id) ? await this.#ledger.current(id) : undefined;
    if (current === undefined) throw noSuchApproval(id);
    return current.view;
  }

  async #openIds(): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let after: string | undefined; ;) {
      const page = await this.#options.objects.list(approvalKeys.opens, { limit: 500, ...(after === undefined ? {} : { after }) });
      ids.push(...page.map(({ key }) => key.slice(approvalKeys.opens.length)));
      after = page.at(-1)?.key;
      if (after === undefined) return ids;
    }
  }

  #viewOf(request: ApprovalRequest): ApprovalView {
    const { clock, random } = this.#options;
    const now = clock.now();
    return {
      id: newId('approval', now, random.bytes(10)), status: 'pending', project_id: request.projectId, session_id: request.sessionId,
      action_hash: request.actionHash, policy_digest: request.policyDigest, rule: request.rule, reason: request.reason, action: request.action,
      approvers: [...request.approvers], required: request.required, on_timeout: request.onTimeout ?? 'reject', requested_by: request.requestedBy,
      created_at: new Date(now).toISOString(), expires_at: new Date(now + request.timeoutMs).toISOString(), timeout_ms: request.timeoutMs,
      decisions: [], decided_at: null, use_before: null, used_at: null,
    };
  }
}

function idIn(binding: unknown): string | undefined {
  const id = isPlainObject(binding) ? binding['id'] : undefined;
  return typeof id === 'string' ? id : undefined;
}

function answerOf(view: ApprovalView, outcome: ApprovalAnswer['outcome']): ApprovalAnswer {
  const last = view.decisions.at(-1);
  if (outcome === 'pending') return { id: view.id, outcome, reason: `nobody has decided yet; it expires at ${view.expires_at}` };
  if (view.ended_because !== undefined) return { id: view.id, outcome, reason: view.ended_because };
  if (outcome === 'expired') return { id: view.id, outcome, reason: `nobody decided by ${view.expires_at}` };
  const said = last?.reason;
  const decidedBy = view.decisions.filter((each) => each.outcome === (outcome === 'approved' ? 'approve' : 'reject')).map(({ by }) => by);
  return { id: view.id, outcome, reason: `${view.decisions.map(({ by }) => by).join(', ')}${said === null || said === undefined || said === '' ? '' : `: ${said}`}`, decidedBy };
}
