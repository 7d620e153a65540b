/** The metrics of a control plane, asked for over its API: the one that LOKI_URL names, where somebody is logged in, else the one that runs here. */
import { LokiError } from '../../errors.ts';
import { objectIn, type JsonObject } from '../../base/json.ts';
import { askApi, type ApiAnswer } from '../../host/api-client.ts';
import { destination } from '../api/place.ts';
import type { Installation } from '../installation.ts';

/** The forms that can be asked for, and how. */
const accepts = {
  text: 'text/plain;version=0.0.4',
  openmetrics: 'application/openmetrics-text;version=1.0.0',
  json: 'application/json',
} as const;

export type MetricsForm = keyof typeof accepts;

export const metricsForms: readonly MetricsForm[] = ['text', 'openmetrics', 'json'];

const timeoutMs = 10_000;

/** The answer's text. Rejects with `net.unreachable` where nothing answers, and as the control plane says where it refuses. */
export async function askMetrics(installation: Installation, form: MetricsForm): Promise<string> {
  const { place, token, where } = destination(installation, undefined, 'read the metrics');
  const answer = await askApi({ ...place, method: 'GET', path: '/metrics', timeoutMs, headers: { accept: accepts[form], ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) } });
  if (answer.status !== 200) throw refused(where, answer);
  return answer.body;
}

const meanings: { readonly [status: number]: readonly [code: 'not_found' | 'auth.required' | 'auth.forbidden', hint: string] } = {
  401: ['auth.required', 'Set LOKI_TOKEN to a key with the scope read'],
  403: ['auth.forbidden', 'Use a key with the scope read'],
  404: ['not_found', 'Its setting enterprise.server.metrics is off, or it is no control plane of this version'],
};

function refused(where: string, { status, body }: ApiAnswer): LokiError {
  const problem: JsonObject | undefined = objectIn(Buffer.from(body));
  const detail = typeof problem?.['detail'] === 'string' ? `: ${problem['detail'].slice(0, 300)}` : '';
  const [code, hint] = meanings[status] ?? ['net.unreachable', 'Look at it with: loki dashboard status'];
  return new LokiError(code, { attempted: `read the metrics of ${where}`, found: `it answers with status ${status}${detail}`, hint });
}
