/** The log of record: entries, exports, counts, verdict. */
import type { JsonObject } from '../../base/json.ts';
import { parseCount } from '../../base/merkle/checkpoint.ts';
import { parseDuration } from '../../base/duration.ts';
import { eventNames, levels } from '../../audit/events.ts';
import { exportFormats, isExportFormat } from '../../audit/export/render.ts';
import { isEvent, subjectName } from '../../audit/query/filter.ts';
import type { AuditFilter } from '../../audit/query.ts';
import { LokiError } from '../../errors.ts';
import type { ApiRequest, Handler } from '../message.ts';
import { momentEnd, momentStart } from '../../base/moment.ts';
import { moment } from '../moment.ts';
import { pageRequest, pageResponse } from '../page.ts';
import { oneOf, plainText, type QueryRule, type QueryRules } from '../query.ts';
import { jsonResponse } from '../respond.ts';
import type { AuditService } from '../services.ts';

const event: QueryRule = {
  ...oneOf(eventNames),
  accepts: 'a known name, or the beginning of several as auth.*',
  fits: (text) => eventNames.includes(text) || (text.endsWith('.*') && eventNames.some((name) => isEvent(name, text))),
};

export const entryRules: QueryRules = {
  start: moment, end: moment, event, level: oneOf(levels), actor: plainText(256), resource: plainText(256), text: plainText(256),
};

export const exportRules: QueryRules = { ...entryRules, format: oneOf(exportFormats), subject: plainText(256) };

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
    const filter = filterOf(request);
    const found: JsonObject[] = [];
    let skipped = 0;
    let next: string | undefined;
    for await (const entry of audit.query({ ...filter, ...(after === undefined ? {} : { before: Number(after) }) }, request.principal.anonymous, request.signal)) {
      if (skipped < offset) {
        skipped += 1;
        continue;
      }
      if (found.length === limit) {
        next = seqOf(found.at(-1));
        break;
      }
      found.push(entry);
    }
    await audit.access(request.principal.actor, filter, found.length);
    return pageResponse(request, found, next);
  };
}

/** Oldest first, all of them, to somebody who said who they are. */
export function exported(audit: AuditService): Handler {
  return async (request) => {
    const { principal, query, signal } = request;
    if (principal.anonymous) throw new LokiError('auth.required', { attempted: 'export the log', found: 'an export needs a principal, and the request shows none' });
    const format = query.get('format') ?? 'json';
    if (!isExportFormat(format)) throw new LokiError('internal', { attempted: 'export the log', found: `"${format}" is no format` });
    // Asked only what it would be like; nothing is taken, so nothing is recorded.
    if (request.method === 'HEAD') return { status: 200, headers: {} };
    const subject = query.get('subject');
    const { mediaType, fileName, parts } = await audit.export({ by: principal.actor, format, filter: { ...filterOf(request), ...(subject === undefined ? {} : { subject: subjectName(subject) }) }, signal });
    return { status: 200, headers: { 'Content-Type': mediaType, 'Content-Disposition': `attachment; filename="${fileName}"` }, stream: parts };
  };
}

function filterOf(request: ApiRequest): AuditFilter {
  const { query, principal: { tenant } } = request;
  const from = momentStart(query.get('start') ?? '');
  const to = momentEnd(query.get('end') ?? '');
  if (from !== undefined && to !== undefined && from > to) {
    const found = `parameter "start" (${from}) is later than "end" (${to})`;
    throw new LokiError('request.invalid', { attempted: 'read the query', found, hint: 'Exchange them', problems: [{ message: found }] });
  }
  const level = levels.find((one) => one === query.get('level'));
  const wanted = query.get('event');
  const actor = query.get('actor');
  const resource = query.get('resource');
  const text = query.get('text');
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(level === undefined ? {} : { level }),
    ...(wanted === undefined ? {} : { event: wanted }),
    ...(actor === undefined ? {} : { actor }),
    ...(resource === undefined ? {} : { resource }),
    ...(text === undefined ? {} : { text }),
    ...(tenant === null ? {} : { tenant }),
  };
}

function seqOf(entry: JsonObject | undefined): string | undefined {
  const seq = entry?.['seq'];
  return typeof seq === 'number' ? String(seq) : undefined;
}

export function summary(audit: AuditService): Handler {
  return async (request) => {
    const text = request.query.get('period') ?? '24h';
    return jsonResponse({ period: text, ...await audit.summary(parseDuration(text) ?? 86_400_000, request.principal.anonymous, request.principal.tenant) });
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

/** The newest checkpoint. Looking makes none: one is signed when it is due, or by `loki audit checkpoint`. */
export function checkpoint(audit: AuditService): Handler {
  return async () => {
    const found = await audit.checkpoint();
    if (found === undefined) throw new LokiError('not_found', { attempted: 'answer with the newest checkpoint', found: 'none has been signed yet', hint: 'Sign one with: loki audit checkpoint' });
    return jsonResponse(found);
  };
}

/** The proof of one entry, as the file that `loki audit verify-proof` and other verifiers read. */
export function proof(audit: AuditService): Handler {
  return async (request) => {
    const text = request.params.get('seq') ?? '';
    const seq = parseCount(text) ?? 0;
    if (seq < 1) throw new LokiError('request.invalid', { attempted: 'read the path', found: `"${text.slice(0, 80)}" is not the number of an entry` });
    const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Disposition': `attachment; filename="${seq}.tlog-proof"` };
    return { status: 200, headers, body: await audit.proof(seq) };
  };
}
