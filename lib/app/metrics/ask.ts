/** The metrics of a control plane, asked for over its API: the one that LOKI_URL names, else, by its socket file, the one that runs here. */
import { LokiError } from '../../errors.ts';
import { objectIn, type JsonObject } from '../../base/json.ts';
import { askApi, type ApiAnswer } from '../../host/api-client.ts';
import { readLocalToken } from '../../server/local-token.ts';
import { runningAddress, runningProcess } from '../control-plane-address.ts';
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
  const { client } = installation.config;
  const where = client.url ?? runningAddress(installation);
  if (where === undefined) throw new LokiError('net.unreachable', { attempted: 'read the metrics', found: 'no control plane has written down its address', hint: 'Start it with: loki dashboard' });
  const token = client.url === undefined ? ownToken(installation) : client.token?.reveal();
  const socketPath = client.url === undefined ? runningProcess(installation)?.socket ?? undefined : undefined;
  const answer = await askApi({ ...(socketPath === undefined ? { base: where } : { socketPath }), method: 'GET', path: '/metrics', timeoutMs, headers: { accept: accepts[form], ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) } });
  if (answer.status !== 200) throw refused(where, answer);
  return answer.body;
}

/** Shown only to the control plane of this machine: it is of no use anywhere else. */
function ownToken({ host: { disk }, home }: Installation): string | undefined {
  return readLocalToken(disk, { home: home.home, path: home.localToken });
}

const meanings: { readonly [status: number]: readonly [code: 'not_found' | 'auth.required' | 'auth.forbidden', hint: string] } = {
  401: ['auth.required', 'Set LOKI_TOKEN to a key with the scope read'],
  403: ['auth.forbidden', 'Use a key with the scope read'],
  404: ['not_found', 'Its setting enterprise.server.metrics is off, or it is no control plane of this version'],
};

function refused(base: string, { status, body }: ApiAnswer): LokiError {
  const problem: JsonObject | undefined = objectIn(Buffer.from(body));
  const detail = typeof problem?.['detail'] === 'string' ? `: ${problem['detail'].slice(0, 300)}` : '';
  const [code, hint] = meanings[status] ?? ['net.unreachable', 'Look at it with: loki dashboard status'];
  return new LokiError(code, { attempted: `read the metrics of ${base}`, found: `it answers with status ${status}${detail}`, hint });
}
