/**
 * What was counted, for Prometheus and what reads its formats, and as JSON. Which form is up to the Accept header; a client
 * that says nothing useful gets text format 0.0.4, as every scraper reads it. Holds no name of a tenant, project or person.
 */
import { LokiError } from '../../errors.ts';
import type { MetricFamily } from '../../base/metric.ts';
import { choose, readAccept, type Offer } from '../../formats/accept.ts';
import { writePrometheus } from '../../formats/prometheus.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Handler } from '../message.ts';

/** Who may read them: anybody who passes the door, whoever has the scope `read`, nobody. */
export type MetricsAccess = 'open' | 'read' | 'off';

/** Where they come from. */
export interface MetricsService {
  readonly access: MetricsAccess;
  /** What requests are counted in. */
  readonly metrics: Metrics;
  /** Looks at what is counted elsewhere, and reads all. Whoever asks meanwhile gets the same answer. */
  collect(): Promise<readonly MetricFamily[]>;
}

interface Form extends Offer {
  readonly how: 'text' | 'openmetrics' | 'json';
  readonly mediaType: string;
}

/** Names of ours need no escaping, so each scheme that a client may ask for gives the same text. */
const escapings: ReadonlySet<string> = new Set(['allow-utf-8', 'underscores', 'dots', 'values']);

const usual: Form = { how: 'text', type: 'text/plain', version: '0.0.4', mediaType: 'text/plain; version=0.0.4; charset=utf-8' };
const forms: readonly Form[] = [
  usual,
  { how: 'openmetrics', type: 'application/openmetrics-text', version: '1.0.0', mediaType: 'application/openmetrics-text; version=1.0.0; charset=utf-8' },
  { how: 'openmetrics', type: 'application/openmetrics-text', version: '0.0.1', mediaType: 'application/openmetrics-text; version=0.0.1; charset=utf-8' },
  { how: 'text', type: 'text/plain', version: '1.0.0', mediaType: 'text/plain; version=1.0.0; charset=utf-8' },
  { how: 'json', type: 'application/json', mediaType: 'application/json; charset=utf-8' },
];

export function metrics(service: Pick<MetricsService, 'access' | 'collect'>): Handler {
  return async ({ headers }) => {
    if (service.access === 'off') throw new LokiError('not_found', { attempted: 'answer the request', found: 'there is nothing at /metrics' });
    const chosen = choose(readAccept(headers.get('accept')), forms);
    const { how, version, mediaType } = chosen?.offer ?? usual;
    const escaping = chosen?.params.get('escaping') ?? '';
    const families = await service.collect();
    return {
      status: 200,
      headers: { 'Content-Type': version === '1.0.0' && escapings.has(escaping) ? `${mediaType}; escaping=${escaping}` : mediaType, 'Vary': 'Accept' },
      body: how === 'json' ? JSON.stringify({ metrics: families.map(plain) }) : writePrometheus(families, how),
    };
  };
}

/** A family with its labels as an object, as JSON has them. */
function plain(family: MetricFamily): object {
  const points = family.points.map(({ labels, ...point }) => ({ labels: Object.fromEntries(labels), ...point }));
  return { ...family, points };
}
