/**
 * Telemetry of a program that embeds this library: no LOKI_HOME, no courier, nothing on disk but where `file:` asks for it. What records is loaded at
 * once; what sends, only when there is something to send.
 */
import type { Problem } from '../../errors.ts';
import { clock, random, timers } from '../../host/time.ts';
import type { DropReason, Signal } from '../../telemetry/batch.ts';
import { createRecorder, type Recorder } from '../../telemetry/recorder.ts';
import { resolveSettings } from '../../telemetry/resolve-settings.ts';
import type { TelemetrySettings } from '../../telemetry/settings.ts';
import type { Key, Voice } from '../../telemetry/voices.ts';
import type { Cancel } from '../../ports.ts';
import { version } from '../version.ts';
import type { Telemetry, TelemetryOptions } from './library-options.ts';

/** What sends, once it is loaded. */
export interface Sending {
  flush(timeoutMs: number): Promise<boolean>;
  shutdown(timeoutMs: number): Promise<void>;
}

/** What sending is made of. */
export interface SendingParts {
  readonly recorder: Recorder;
  readonly settings: TelemetrySettings;
  countDrops(signal: Signal, reason: DropReason, items: number): void;
  problem(problem: Problem): void;
}

const usualTimeoutMs = 10_000;

/** Which option stands for which variable. */
const keyOf: { readonly [Option in keyof TelemetryOptions]?: Key } = {
  endpoint: 'endpoint', serviceName: 'serviceName', sampler: 'sampler', samplerRatio: 'samplerArg', temporality: 'temporality', metricIntervalMs: 'metricInterval', compression: 'compression', timeoutMs: 'timeout',
};

/** Only the problems where the settings come to nothing being told. */
export function openLibraryTelemetry(options: TelemetryOptions, env: Readonly<Record<string, string | undefined>>): Telemetry | { readonly problems: readonly Problem[] } {
  const settings = resolveSettings({
    env, over: voiceOf(options), resource: options.resource ?? {},
    usual: { serviceName: 'unknown_service:node', resource: { 'telemetry.sdk.name': 'loki-enterprise', 'telemetry.sdk.language': 'nodejs', 'telemetry.sdk.version': version } },
  });
  return settings.isOn && settings.destinations.length > 0 ? new LibraryTelemetry(options, settings) : { problems: settings.problems };
}

/** As texts, which are held against the same rules as the variables. */
function voiceOf(options: TelemetryOptions): Voice {
  const said = Object.entries(keyOf).flatMap(([option, key]) => {
    const value = options[option as keyof TelemetryOptions];
    return value === undefined ? [] : [[key, { value: String(value), from: `options.${option}` }] as const];
  });
  const headers = Object.entries(options.headers ?? {}).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return Object.fromEntries([...said, ...(headers.length === 0 ? [] : [['headers', { value: headers.join(','), from: 'options.headers' }]])]);
}

class LibraryTelemetry implements Telemetry {
  readonly isOn: boolean = true;
  readonly tracer: Telemetry['tracer'];
  readonly meter: Telemetry['meter'];
  readonly logger: Telemetry['logger'];
  readonly problems: Problem[];
  readonly #settings: TelemetrySettings;
  readonly #recorder: Recorder;
  readonly #dropped = new Map<string, number>();
  #sending: Promise<Sending> | undefined;
  #waiting: Cancel | undefined;
  #dueAt = Infinity;
  #isEnded = false;

  constructor({ scope }: TelemetryOptions, settings: TelemetrySettings) {
    const { destinations, sampler, limits, spans, logs, metrics: { histograms }, resource } = settings;
    this.#settings = settings;
    this.problems = [...settings.problems];
    this.#recorder = createRecorder({ clock, random, signals: destinations.flatMap(({ signals }) => signals), sampler, limits, spans, logs, histograms, stacks: true });
    this.#recorder.hear({ begun: (signal) => this.#await(signal), full: () => void this.#send(), dropped: (signal, reason) => this.#count(signal, reason, 1) });
    const told = scope ?? { name: resource['service.name'] ?? 'loki-enterprise' };
    this.tracer = this.#recorder.tracer(told);
    this.meter = this.#recorder.meter(told);
    this.logger = this.#recorder.logger(told);
  }

  // Functions of their own: programs take what they are given apart (`const { tracer, flush } = …`).

  readonly dropped: Telemetry['dropped'] = () => Object.fromEntries(this.#dropped);

  readonly flush: Telemetry['flush'] = async (timeoutMs = usualTimeoutMs) => {
    if (this.#isIdle()) return true;
    return (await this.#send()).flush(timeoutMs);
  };

  readonly shutdown: Telemetry['shutdown'] = async (timeoutMs = usualTimeoutMs) => {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#waiting?.();
    if (!this.#isIdle()) await (await this.#send()).shutdown(timeoutMs);
    this.#recorder.close();
  };

  /** Nothing was ever there to send. */
  #isIdle(): boolean {
    const { spans, logs, metrics } = this.#recorder;
    return this.#sending === undefined && spans.length === 0 && logs.length === 0 && metrics.length === 0;
  }

  /** The first waits for others, as all do later, before what sends is loaded. */
  #await(signal: Signal): void {
    const { spans, logs, metrics } = this.#settings;
    const delayMs = { traces: spans.delayMs, logs: logs.delayMs, metrics: metrics.intervalMs }[signal];
    const dueAt = clock.monotonic() + delayMs;
    if (dueAt >= this.#dueAt) return;
    this.#waiting?.();
    this.#dueAt = dueAt;
    this.#waiting = timers.after(delayMs, () => void this.flush());
  }

  #send(): Promise<Sending> {
    this.#sending ??= this.#load();
    return this.#sending;
  }

  async #load(): Promise<Sending> {
    this.#waiting?.();
    try {
      const { startSending } = await import('./library-sending.ts');
      return startSending({
        recorder: this.#recorder, settings: this.#settings,
        countDrops: (signal, reason, items) => this.#count(signal, reason, items), problem: (problem) => { this.problems.push(problem); },
      });
    } catch {
      this.problems.push({ message: 'telemetry cannot be sent: a part of this package cannot be loaded', hint: 'Install the package again' });
      return { flush: () => Promise.resolve(false), shutdown: () => Promise.resolve() };
    }
  }

  #count(signal: Signal, reason: DropReason, items: number): void {
    const key = `${signal} ${reason}`;
    this.#dropped.set(key, (this.#dropped.get(key) ?? 0) + items);
  }
}
