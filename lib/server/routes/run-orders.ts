/**
 * Ordering a run, cancelling it, ordering it again, and what its own process reports. No path and no command line is part of any of
 * these: a run works in a directory that an administrator registered, with a provider that is set up on the worker.
 */
import { LokiError } from '../../errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { orderedDocumentBytes, type CommitOrder } from '../../runs/orders.ts';
import { runValue } from '../../runs/progress.ts';
import { reportLimits } from '../../runs/append.ts';
import type { Run } from '../../runs/run.ts';
import type { ReadToken } from '../auth/authenticate.ts';
import { taking, type ApiRequest, type ApiResponse, type Row } from '../message.ts';
import { objectKey, requireObject, type Found } from '../objects.ts';
import type { Scope } from '../principal.ts';
import type { OrderedBy, RunService, Services } from '../services.ts';
import { anyObject, choice, id, listOf, nullable, record, text, whole, type Shape } from '../shape.ts';
import * as shapes from '../shapes.ts';
import { jsonResponse } from '../respond.ts';
import { answerWith } from './collections.ts';
import { requireProject } from './projects.ts';

/** Whatever line ends it has. What is no text is refused with the order. */
const document: Shape<string> = {
  schema: { type: 'string', minLength: 1, maxLength: orderedDocumentBytes, description: `The requirements document; at most ${orderedDocumentBytes} bytes. Left out: the project's own prd.md` },
  problems(value, pointer) {
    const fits = typeof value === 'string' && value.length > 0 && value.length <= orderedDocumentBytes;
    return fits ? [] : [{ pointer, message: `"document" must be a text of 1 to ${orderedDocumentBytes} characters` }];
  },
};

const terms = record({}, {
  provider: text({ most: 64, pattern: /^[a-z][a-z0-9-]*$/, accepts: 'the name of a provider that is set up on the worker', example: 'claude' }),
  max_iterations: whole(1, 1000, 'At most what the project allows'),
  budget: whole(1, 1_000_000_000_000, 'Tokens; at most what the project allows'),
}, 'What is left out is as the project is configured');

const order = record({ project_id: id('project') }, { document, config: terms, trigger: choice(['api', 'schedule', 'webhook', 'manual'] as const) });
const nothing = record({});
const reports = record({ events: listOf(record({ event_type: choice(shapes.runEventTypes), details: anyObject('At most 16 KiB', reportLimits.bytes) }, { phase: nullable(choice(shapes.phases)) }), reportLimits.events) });

const ordered = { status: 201, about: 'The run, pending', shape: shapes.orderedRun } as const;

export function orderRows({ runs, projects }: Services): readonly Row[] {
  const create = taking(order, async (request, { project_id, document: wanted, config = {}, trigger = 'api' }): Promise<ApiResponse> => {
    const { tenant } = await requireProject(request, projects, project_id);
    const { run, token } = await runs.order({
      project_id, tenant, terms: config, trigger, ...orderedBy(request), ...(wanted === undefined ? {} : { document: wanted }),
    }, committing(request, tenant));
    return answerOf(request, tenant, run, { token });
  });

  const cancel = taking(nothing, async (request): Promise<ApiResponse> => {
    const { tenant, value } = await runOf(request);
    const run = await runs.cancel(tenant, String(value['id']), request.principal.actor);
    return answerOf(request, tenant, run, {}, 200);
  });

  const replay = taking(nothing, async (request): Promise<ApiResponse> => {
    const { tenant, value } = await runOf(request);
    const { run, token } = await runs.replay(tenant, String(value['id']), orderedBy(request), committing(request, tenant));
    return answerOf(request, tenant, run, { token });
  });

  const append = taking(reports, async (request, { events }): Promise<ApiResponse> => {
    const runId = request.params.get('id') ?? '';
    // A run's token opens that run and no other; which others there are is none of its bearer's business.
    if (request.principal.run !== runId) throw new LokiError('not_found', { attempted: 'find the run', found: `there is no run "${runId}"` });
    return jsonResponse({ events: await runs.append(request.principal.tenant, runId, events) }, {}, 201);
  });

  const params = { id: 'run' } as const;
  return [
    { method: 'POST', path: '/runs', operation: 'runs.create', summary: 'Orders a run; a worker drives it', scope: 'control', keyed: 'commit', records: ['run.create'], answer: ordered, ...create },
    { method: 'POST', path: '/runs/:id/cancel', operation: 'runs.cancel', summary: 'Cancels a run; its agent and all that it started are ended', scope: 'control', params, keyed: 'steps', records: ['run.cancel'], answer: { status: 200, about: 'The run as it now is', shape: shapes.run }, ...cancel },
    { method: 'POST', path: '/runs/:id/replay', operation: 'runs.replay', summary: 'Orders a run again, with its document, provider and terms', scope: 'control', params, keyed: 'commit', records: ['run.replay'], answer: ordered, ...replay },
    {
      // What a run reports stands in its timeline; so much of it would crowd the log of record.
      method: 'POST', path: '/runs/:id/events', operation: 'runs.report', summary: 'Appends events to the timeline, by the run\'s own process', scope: 'run', params, keyed: 'steps', rate: 'exempt', audit: false,
      answer: { status: 201, about: 'The events in their places', shape: shapes.reportedEvents }, ...append,
    },
  ];
}

/** Reads tokens of runs. */
export function createRunTokenReader(runs: Pick<RunService, 'runOf'>): ReadToken {
  return async (token) => {
    const found = await runs.runOf(token);
    return found === undefined ? undefined : { kind: 'run', actor: `token:run:${found.run}`, scopes: new Set<Scope>(['run']), anonymous: false, tenant: found.tenant, run: found.run };
  };
}

function orderedBy({ principal: { actor }, requestId, trace }: ApiRequest): OrderedBy {
  return { actor, requestId, trace };
}

function runOf(request: ApiRequest): Promise<Found> {
  return requireObject(request, 'run', request.params.get('id') ?? '');
}

/** A request that is sent again is answered as the first time, but for the token. */
function committing(request: ApiRequest, tenant: string | null): CommitOrder {
  return (checks, changes, run) => request.commit(checks, changes, answerOf(request, tenant, run));
}

function answerOf(request: ApiRequest, tenant: string | null, run: Run, more: JsonObject = {}, status: 200 | 201 = 201): ApiResponse {
  const value = runValue(run) as JsonObject;
  const location = `${request.version === 2 ? '/api/v2' : '/api'}/runs/${run.id}`;
  const answer = answerWith({ key: objectKey(tenant, 'run', run.id), value }, status, undefined, status === 201 ? location : undefined);
  return Object.keys(more).length === 0 ? answer : { ...answer, body: JSON.stringify({ ...value, ...more }) };
}
