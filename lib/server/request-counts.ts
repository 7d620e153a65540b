/** Requests as metrics: by the pattern of their route, never by the path that was sent, so that no caller makes series up. */
import type { Metrics } from '../telemetry/metrics.ts';

/** One request that was answered; without `seconds` it was none that could be read. */
export interface CountedRequest {
  readonly method: string;
  readonly route: string | undefined;
  readonly status: number;
  readonly seconds?: number;
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const unknown = 'unknown';

/** Whether a method is one that may be named: any other is whatever somebody sent. */
export function isKnownMethod(method: string): boolean {
  return methods.has(method);
}

export function countRequest(metrics: Metrics, { method, route = unknown, status, seconds }: CountedRequest): void {
  const said = isKnownMethod(method) ? method : unknown;
  metrics.add('loki_http_requests_total', 1, [said, route, String(status)]);
  if (seconds !== undefined) metrics.observe('loki_http_request_duration_seconds', seconds, [said, route]);
}
