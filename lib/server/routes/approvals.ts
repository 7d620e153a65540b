/**
 * Approvals over the API: looking at them, and deciding. Somebody decides with a proof that was signed by an approver key, and
 * then who sends the request does not matter; or as the owner of a key with the scope `approve`, or with a new single sign-on,
 * as long as no approver key exists here. Refuses everything else; who may decide what is said by the approval itself.
 */
import { LokiError, type ErrorCode } from '../../errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { isPlainObject } from '../../base/json.ts';
import { approvalStatuses, type ApprovalOutcome, type ApprovalView } from '../../approvals/approval.ts';
import type { FreshProof } from '../../approvals/proof.ts';
import type { DecideRequest } from '../../approvals/steps.ts';
import { taking, type ApiRequest, type Handler, type Row } from '../message.ts';
import { findObject, requireObject, tagOf, type Found, type Sight } from '../objects.ts';
import { holds } from '../principal.ts';
import { idOf, oneOf, type QueryRules } from '../query.ts';
import { objectResponse, jsonResponse } from '../respond.ts';
import { flag, record, text } from '../shape.ts';
import type { Services } from '../services.ts';
import { list as listOfKind, timeRules } from './collections.ts';

type Approvals = Services['approvals'];

const proofHint = 'Where the key is kept run loki approve ID --print-proof, and send what it prints as the body within two minutes';

export const listRules: QueryRules = { project_id: idOf('project'), status: oneOf(approvalStatuses), ...timeRules };

/** The newest first. */
export function list(): Handler {
  return listOfKind({ kind: 'approval', newestFirst: true, show: (found) => shownIn(found) ?? {}, wanted: () => (found) => shownIn(found) !== undefined });
}

/** An approval is shown once its request is on record. */
function shownIn({ value }: Found): JsonObject | undefined {
  const { shown } = value;
  return isPlainObject(shown) ? shown as JsonObject : undefined;
}

export function one(approvals: Approvals): Handler {
  return async (request) => {
    const { view, key } = await viewOf(request, approvals);
    return objectResponse(view, key, request.headers.get('if-none-match'));
  };
}

async function viewOf(request: ApiRequest, approvals: Approvals): Promise<{ readonly view: ApprovalView; readonly key: string }> {
  const id = request.params.get('id') ?? '';
  const { tenant, key } = await requireObject(request, 'approval', id);
  const view = await approvals(tenant).get(id);
  if (view === undefined) throw new LokiError('not_found', { attempted: 'find the approval', found: `there is no approval "${id}"` });
  return { view, key };
}

const short = text({ least: 0, most: 300 });
const wish = record({}, {
  reason: text({ least: 0, most: 2000, lines: true }), override: flag('With reject: takes back an approval that was given and not used yet'),
  proof: record({ by: text({ most: 300, pattern: /^(?:user|token):./, accepts: 'a person as user:alice', example: 'user:alice' }), at: short, key: short, signature: short }, {}, 'What loki approve --print-proof prints'),
});

export function decide(approvals: Approvals, outcome: ApprovalOutcome): Pick<Row, 'body' | 'handle'> {
  return taking(wish, async (request, { reason, override = false, proof }) => {
    const id = request.params.get('id') ?? '';
    const attempted = `${outcome} ${id}`;
    if (override && outcome === 'approve') throw new LokiError('request.invalid', { attempted, found: 'override goes with a rejection' });
    const person = proof === undefined ? personIn(request, attempted) : { by: proof.by, proof: { kind: 'approver_key', at: proof.at, key: proof.key, signature: proof.signature } as const };
    const decision = { id, outcome, ...person, requestId: request.requestId, ...(reason === undefined ? {} : { reason }), ...(override ? { override: true } as const : {}) };
    const { view, key } = await (proof === undefined ? decideIn(request, approvals, decision) : decideByProof(request, approvals, decision, attempted));
    return jsonResponse(view, { ETag: tagOf(key, JSON.stringify(view)) });
  });
}

async function decideIn(sight: Sight, approvals: Approvals, decision: DecideRequest): Promise<{ readonly view: ApprovalView; readonly key: string }> {
  const { tenant, key } = await requireObject(sight, 'approval', decision.id);
  return { view: await approvals(tenant).decide(decision), key };
}

/**
 * Whoever shows a signature may be anybody: the approval is looked for wherever it is. Until the signature has held, somebody
 * who may not look at it is not told whether there is one.
 */
async function decideByProof(request: ApiRequest, approvals: Approvals, decision: DecideRequest, attempted: string): Promise<{ readonly view: ApprovalView; readonly key: string }> {
  const { principal } = request;
  const mayLook = holds(principal, 'read') && (principal.tenant === null || await findObject(request, 'approval', decision.id) !== undefined);
  try {
    return await decideIn({ store: request.store, principal: { tenant: null } }, approvals, decision);
  } catch (error) {
    if (mayLook || !(error instanceof LokiError) || !hidden.has(error.code)) throw error;
    throw new LokiError('auth.proof', { attempted, found: 'there is no such approval, or the proof is no signature of an approver key over this decision', hint: proofHint });
  }
}

/** What would tell that an approval is there, or is not, before a signature has held. Nothing else is looked at before that. */
const hidden: ReadonlySet<ErrorCode> = new Set(['not_found', 'auth.proof']);

/** The person whose key or sign-on the request comes with. Throws `auth.proof` when it comes with neither. */
function personIn({ principal }: ApiRequest, attempted: string): { readonly by: string; readonly role?: string; readonly proof: FreshProof } {
  const { owner, role, keyId, authTime } = principal;
  if (!holds(principal, 'approve') || owner === undefined) throw withoutProof(attempted);
  const who = { by: owner, ...(role === undefined ? {} : { role }) };
  if (keyId !== undefined) return { ...who, proof: { kind: 'api_key', key: keyId } };
  if (authTime !== undefined) return { ...who, proof: { kind: 'sign_on', auth_time: new Date(authTime).toISOString() } };
  throw withoutProof(attempted);
}

function withoutProof(attempted: string): LokiError {
  return new LokiError('auth.proof', {
    attempted, found: 'a decision needs a proof signed by an approver key, a key with the scope "approve" and an owner, or a new single sign-on',
    hint: proofHint,
  });
}
