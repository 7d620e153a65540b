/**
 * Approvals over the API: looking at them, and deciding with a proof that was signed by an approver key. The signature says
 * who decides and what: no token of this machine does, and who sends the request does not matter. Refuses everything else.
 */
import { LokiError, type Problem } from '../../errors.ts';
import { isPlainObject, type JsonValue } from '../../base/json.ts';
import { didYouMean } from '../../base/suggest.ts';
import { approvalStatuses, type ApprovalOutcome, type ApprovalView } from '../../approvals/approval.ts';
import type { ApproverProof } from '../../approvals/proof.ts';
import type { ApiRequest, Handler } from '../message.ts';
import { pageRequest, pageResponse } from '../page.ts';
import { idOf, oneOf, type QueryRules } from '../query.ts';
import { objectResponse, jsonResponse } from '../respond.ts';
import type { Services } from '../services.ts';

type Approvals = Services['approvals'];

export const listRules: QueryRules = { project_id: idOf('project'), status: oneOf(approvalStatuses) };

/** The newest first. */
export function list(approvals: Approvals): Handler {
  return async (request) => {
    const { limit, offset, after } = pageRequest(request);
    const status = approvalStatuses.find((known) => known === request.query.get('status'));
    const project = request.query.get('project_id');
    const found = await approvals.list({
      limit: offset + limit + 1, ...(after === undefined ? {} : { after }), ...(status === undefined ? {} : { status }), ...(project === undefined ? {} : { project }),
    });
    const page = found.slice(offset, offset + limit);
    return pageResponse(request, page, found.length > offset + limit ? page.at(-1)?.id : undefined);
  };
}

export function one(approvals: Approvals): Handler {
  return async (request) => {
    const view = await approvals.get(request.params.get('id') ?? '');
    if (view === undefined) throw new LokiError('not_found', { attempted: 'find the approval', found: `there is no approval "${request.params.get('id') ?? ''}"` });
    return objectResponse(view, revisionOf(view), request.headers.get('if-none-match'));
  };
}

/** Grows with each change: decisions are added, and a status comes after those before it. */
function revisionOf({ decisions, status }: ApprovalView): number {
  return decisions.length * approvalStatuses.length + approvalStatuses.indexOf(status) + 1;
}

export function decide(approvals: Approvals, outcome: ApprovalOutcome): Handler {
  return async (request) => {
    const id = request.params.get('id') ?? '';
    const { by, reason, override, proof } = decisionIn(request, `${outcome} ${id}`);
    if (override && outcome === 'approve') throw new LokiError('request.invalid', { attempted: `approve ${id}`, found: 'override goes with a rejection' });
    const view = await approvals.decide({ id, outcome, by, proof, ...(reason === undefined ? {} : { reason }), ...(override ? { override: true } : {}) });
    return jsonResponse(view, { ETag: `"${revisionOf(view)}"` });
  };
}

interface Decision {
  readonly by: string;
  readonly reason: string | undefined;
  readonly override: boolean;
  readonly proof: ApproverProof;
}

/** `{reason?, override?, proof: {by, at, key, signature}}`, and nothing else. */
function decisionIn({ body }: ApiRequest, attempted: string): Decision {
  if (!isPlainObject(body)) throw new LokiError('request.invalid', { attempted, found: 'the body is no object' });
  const problems = [...unknownMembers(body, ['reason', 'override', 'proof'], 'the body')];
  const { reason, override, proof } = body as { readonly [name: string]: JsonValue | undefined };
  if (reason !== undefined && typeof reason !== 'string') problems.push({ message: 'reason is no text' });
  if (override !== undefined && typeof override !== 'boolean') problems.push({ message: 'override is neither true nor false' });
  if (proof === undefined && problems.length === 0) throw withoutProof(attempted);
  const texts = isPlainObject(proof) ? proof : {};
  problems.push(...unknownMembers(texts, proofMembers, 'proof'), ...proofMembers.filter((name) => typeof texts[name] !== 'string').map((name) => ({ message: `proof.${name} is no text` })));
  if (problems.length > 0) throw new LokiError('request.invalid', { attempted, found: problems.map(({ message }) => message).join('; '), problems });
  const [by, at, key, signature] = proofMembers.map((name) => String(texts[name]));
  return {
    by: by ?? '', reason: typeof reason === 'string' ? reason : undefined, override: override === true,
    proof: { kind: 'approver_key', at: at ?? '', key: key ?? '', signature: signature ?? '' },
  };
}

const proofMembers = ['by', 'at', 'key', 'signature'] as const;

function unknownMembers(value: Readonly<Record<string, unknown>>, known: readonly string[], where: string): readonly Problem[] {
  return Object.keys(value).filter((name) => !known.includes(name)).map((name) => ({ message: `${where} has a member ${JSON.stringify(name.slice(0, 40))} that is not known${didYouMean(name, known)}` }));
}

function withoutProof(attempted: string): LokiError {
  return new LokiError('auth.proof', {
    attempted, found: 'a decision needs a proof signed by an approver key, and no token stands in for it',
    hint: 'Where the key is kept run loki approve ID --print-proof, and send what it prints as the body within two minutes',
  });
}
