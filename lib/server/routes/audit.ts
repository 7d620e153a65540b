/** The log of record: entries, counts, verdict. */
import type { JsonObject } from '../../base/json.ts';
import { parseDuration } from '../../base/duration.ts';
import { eventNames, levels } from '../../audit/events.ts';
import type { AuditFilter } from '../../audit/query.ts';
import type { ApiRequest, Handler } from '../message.ts';
import { momentEnd, momentStart, moment } from '../moment.ts';
import { pageRequest, pageResponse } from '../page.ts';
import { oneOf, plainText, type QueryRule, type QueryRules } from '../query.ts';
import { jsonResponse } from '../respond.ts';
import type { AuditService } from '../services.ts';

export const entryRules: QueryRules = {
  start: moment, end: moment, event: oneOf(eventNames), level: oneOf(levels), actor: plainText(256), resource: plainText(256),
};

const longestPeriodMs = 3660 * 86_400_000;

const period: QueryRule = {
  accepts: 'a duration as 24h or 7d, at most 3660d',
  fits: (text) => {
    const milliseconds = parseDuration(text);
    return milliseconds !== undefined && milliseconds > 0 && milliseconds <= longestPeriodMs;
  },
};

export const summaryRules: QueryRules = { period };

/** Newest first. */
export function entries(audit: AuditService): Handler {
  return async (request) => {
    const { limit, offset, after } = pageRequest(request);
    const found: JsonObject[] = [];
    let skipped = 0;
    for await (const entry of audit.query({ ...filterOf(request), ...(after === undefined ? {} : { before: Number(after) }) })) {
      request.signal.throwIfAborted();
      if (skipped < offset) {
        skipped += 1;
        continue;
      }
      if (found.length === limit) return pageResponse(request, found, seqOf(found.at(-1)));
      found.push(entry);
    }
    return pageResponse(request, found, undefined);
  };
}

function filterOf(request: ApiRequest): AuditFilter {
  const { query } = request;
  const from = momentStart(query.get('start') ?? '');
  const to = momentEnd(query.get('end') ?? '');
  const level = levels.find((one) => one === query.get('level'));
  const event = query.get('event');
  const actor = query.get('actor');
  const resource = query.get('resource');
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(level === undefined ? {} : { level }),
    ...(event === undefined ? {} : { event }),
    ...(actor === undefined ? {} : { actor }),
    ...(resource === undefined ? {} : { resource }),
  };
}

function seqOf(entry: JsonObject | undefined): string | undefined {
  const seq = entry?.['seq'];
  return typeof seq === 'number' ? String(seq) : undefined;
}

export function summary(audit: AuditService): Handler {
  return async (request) => {
    const text = request.query.get('period') ?? '24h';
    return jsonResponse({ period: text, ...await audit.summary(parseDuration(text) ?? 86_400_000) });
  };
}

/** Reading the whole log is work: callers that ask at the same time share one answer. */
export function verify(audit: AuditService): Handler {
  let running: Promise<JsonObject> | undefined;
  return async () => {
    running ??= audit.verify().finally(() => { running = undefined; });
    return jsonResponse(await running);
  };
}
