/**
 * The span of a request. A caller's `traceparent` is taken for its parent where the caller has said who it is; of anybody else it is only
 * linked to, so that who has no name can neither make us keep traces nor write into one. Routes stand in a span as the table has them,
 * never as they were sent.
 */
import type { Span, SpanContext, Tracer } from '../base/trace.ts';
import { parseContext } from '../base/trace-context.ts';
import { LokiError } from '../errors.ts';
import { attribute, spanNames } from '../telemetry/names.ts';
import type { Principal } from './principal.ts';
import { isKnownMethod } from './request-counts.ts';

/** Who asks, with which headers, since when (milliseconds since 1970). */
export interface SpanOrigin {
  readonly principal: Pick<Principal, 'anonymous' | 'kind' | 'tenant'>;
  readonly headers: ReadonlyMap<string, string> | undefined;
  readonly method: string;
  readonly route: string | undefined;
  readonly secure: boolean;
  readonly requestId: string;
  readonly startTime: number;
}

export function startRequestSpan(tracer: Tracer, { principal, headers, method, route, secure, requestId, startTime }: SpanOrigin): Span {
  const given: SpanContext | undefined = tracer.isPrivate === true ? undefined : parseContext(headers?.get('traceparent'), headers?.get('tracestate'));
  const { anonymous, kind, tenant } = principal;
  const known = isKnownMethod(method);
  return tracer.startSpan(spanNames.request(known ? method : 'HTTP', route), {
    kind: 'server', startTime, parent: anonymous ? undefined : given, links: anonymous && given !== undefined ? [{ context: given }] : [],
    attributes: {
      [attribute.method]: known ? method : '_OTHER', [attribute.route]: route, [attribute.scheme]: secure ? 'https' : 'http',
      [attribute.principalKind]: kind, [attribute.tenantId]: tenant ?? undefined, [attribute.requestId]: requestId,
    },
  });
}

/** What the request came to. A refusal is an answer like any other; only what we did not manage is an error, and not for a client that has gone. */
export function endRequestSpan(span: Span, { status, stream, error, isGone }: { readonly status: number; readonly stream: boolean; readonly error: unknown; readonly isGone: boolean }): void {
  span.setAttribute(attribute.httpStatus, status).setAttribute(attribute.stream, stream ? true : undefined);
  if (status >= 500 && !isGone) span.setAttribute(attribute.errorType, error instanceof LokiError ? error.code : String(status)).setStatus('error');
  span.end();
}
