/** Time that tests own, a receiver that answers as it is told, and a folder in memory. */
import { createSpoolFiles } from '../../../lib/host/spool-files.ts';
import type { ExportAnswer, ExportRequest, ExportTransport, SpoolFiles } from '../../../lib/base/telemetry-ports.ts';
import type { Clock, Files, Timers } from '../../../lib/ports.ts';
import type { Batch, DropReason, Signal } from '../../../lib/telemetry/batch.ts';
import { createOtlpDestination } from '../../../lib/telemetry/export/otlp-destination.ts';
import type { OtlpDestinationOptions, OtlpEndpoint, StandingDestination } from '../../../lib/telemetry/export/options.ts';
import { createTestRandom } from '../../support/fakes.ts';
import { createFaultFiles, faultDisk, type FaultFiles } from '../../support/fault-files.ts';

export interface SimulatedTime {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Lets so much time pass; what is due runs in its order, and what it set off runs before the next. */
  pass(milliseconds: number): Promise<void>;
}

/** Everything that is waiting has had its turn. */
export async function settled(): Promise<void> {
  for (let n = 0; n < 4; n += 1) await new Promise((resolve) => { setImmediate(resolve); });
}

export const start: number = Date.UTC(2026, 1, 15, 14, 30);

export function simulatedTime(): SimulatedTime {
  let now = 0;
  let waiting: { at: number; run: () => void }[] = [];
  const after = (milliseconds: number, run: () => void): (() => void) => {
    const one = { at: now + milliseconds, run };
    waiting.push(one);
    return () => { waiting = waiting.filter((each) => each !== one); };
  };
  return {
    clock: { now: () => start + now, monotonic: () => now },
    timers: {
      after,
      every: () => () => undefined,
      sleep: (milliseconds) => new Promise((resolve) => { after(milliseconds, resolve); }),
      yield: settled,
    },
    async pass(milliseconds) {
      const end = now + milliseconds;
      await settled();
      for (;;) {
        const [next] = waiting.toSorted((a, b) => a.at - b.at);
        if (next === undefined || next.at > end) break;
        waiting = waiting.filter((each) => each !== next);
        now = Math.max(now, next.at);
        next.run();
        await settled();
      }
      now = end;
    },
  };
}

export const answered = (status: number, body: string = '{}', headers: Readonly<Record<string, string>> = {}): ExportAnswer => ({ kind: 'answered', status, headers: new Map(Object.entries({ 'content-type': 'application/json', ...headers })), body });
export const ok: ExportAnswer = answered(200);
export const refusedConnection: ExportAnswer = { kind: 'unreachable', code: 'ECONNREFUSED', message: 'nothing listens there (ECONNREFUSED)' };

export interface ScriptedReceiver extends ExportTransport {
  readonly requests: ExportRequest[];
  /** What it answers from now on. */
  answer: (request: ExportRequest) => ExportAnswer | Promise<ExportAnswer>;
  /** Names of the spans, records or metrics that it took, in order. */
  taken(): readonly string[];
}

export function scriptedReceiver(): ScriptedReceiver {
  const requests: ExportRequest[] = [];
  const taken: string[] = [];
  const receiver: ScriptedReceiver = {
    requests,
    answer: () => ok,
    taken: () => taken,
    async post(request) {
      requests.push(request);
      const answer = await receiver.answer(request);
      if (answer.kind === 'answered' && answer.status === 200) taken.push(...namesIn(request.body.join('')));
      return answer;
    },
    close: () => undefined,
  };
  return receiver;
}

/** Of what `batch` makes, in order. */
export function namesIn(body: string): readonly string[] {
  return [...body.matchAll(/"name":"([^"]*)"/g)].map(([, name]) => name ?? '');
}

const members = { traces: ['resourceSpans', 'scopeSpans', 'spans'], metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'], logs: ['resourceLogs', 'scopeLogs', 'logRecords'] } as const;

/** A batch with one item a name; names are padded with `pad` bytes. */
export function batch(signal: Signal, names: readonly string[], pad: number = 0): Batch {
  const [resource, scope, item] = members[signal];
  const items = names.map((name) => ({ name, ...(pad === 0 ? {} : { pad: 'p'.repeat(pad) }), ...(signal === 'metrics' ? { gauge: { dataPoints: [{ asInt: '1' }] } } : {}) }));
  return { signal, items: names.length, body: JSON.stringify({ [resource]: [{ [scope]: [{ [item]: items }] }] }) };
}

/** Spans so named, a batch each. */
export const spans = (from: number, to: number): readonly Batch[] => Array.from({ length: to - from }, (_, n) => batch('traces', [`s${from + n}`]));
export const names = (from: number, to: number): readonly string[] => Array.from({ length: to - from }, (_, n) => `s${from + n}`);

export const base = '/home';
export const folder = '/home/spool/telemetry/one';

export interface Ground {
  readonly time: SimulatedTime;
  readonly receiver: ScriptedReceiver;
  readonly files: FaultFiles;
  readonly spoolFiles: SpoolFiles;
  readonly drops: { readonly signal: Signal; readonly reason: DropReason; readonly items: number }[];
  /** Everything of a reason that was dropped. */
  dropped(reason: DropReason): number;
  /** Another destination on the same folder, as after a restart. */
  open(more?: Partial<OtlpDestinationOptions> & { readonly maxBytes?: number; readonly maxFiles?: number; readonly isWithoutSpool?: boolean }): StandingDestination;
  /** Names of the files that wait. */
  waiting(): readonly string[];
}

let unique = 0;

export function spoolFilesOver(files: Files, now: () => number = () => start): SpoolFiles {
  return createSpoolFiles({ files, disk: faultDisk(files), clock: { now }, owner: undefined, uniqueName: () => { unique += 1; return `u${unique}`; } });
}

export const endpoint = (path: string): OtlpEndpoint => ({ url: `http://collector.example:4318${path}`, headers: { authorization: 'Bearer zsecret-token' }, gzip: false, timeoutMs: 10_000 });

/** A destination's world. `wrap` puts something between it and the disk. */
export function ground(wrap: (files: Files) => Files = (files) => files): Ground {
  const time = simulatedTime();
  const receiver = scriptedReceiver();
  const files = createFaultFiles();
  files.makeDirectory(base, 0o700);
  const spoolFiles = spoolFilesOver(wrap(files), time.clock.now);
  const drops: Ground['drops'] = [];
  const random = createTestRandom();
  return {
    time, receiver, files, spoolFiles, drops,
    dropped: (reason) => drops.filter((each) => each.reason === reason).reduce((sum, { items }) => sum + items, 0),
    open({ maxBytes = 10_000_000, maxFiles, isWithoutSpool = false, ...more } = {}) {
      return createOtlpDestination({
        name: 'http://collector.example:4318', endpoints: { traces: endpoint('/v1/traces'), metrics: endpoint('/v1/metrics'), logs: endpoint('/v1/logs') }, temporality: 'cumulative',
        transport: receiver, clock: time.clock, timers: time.timers, random, userAgent: 'test/1', countDrops: (signal, reason, items) => drops.push({ signal, reason, items }),
        ...(isWithoutSpool ? { handedOver: spoolFiles } : { spool: { files: spoolFiles, base, folder, maxBytes, ...(maxFiles === undefined ? {} : { maxFiles }) } }), ...more,
      });
    },
    waiting: () => spoolFiles.list(folder).map(({ name }) => name),
  };
}
