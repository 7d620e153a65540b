/**
 * Telemetry as it is set up: what is sent where, how much of it, and as whom. Types, shared by the app and by the public entry. Every value
 * has been checked; what could not be used is among `problems`, in words, and its default stands. No secret is in anything but `headers`.
 */
import type { Problem } from '../errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Signal } from './batch.ts';

/** How metrics are counted for a receiver. */
export type Temporality = 'cumulative' | 'delta' | 'lowmemory';

/** How one signal reaches a receiver over HTTP. */
export interface SignalRoute {
  /** Whole, with its query, which may hold a secret and is never printed. */
  readonly url: string;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, Secret>;
  readonly gzip: boolean;
  /** For one request; 0: no limit. */
  readonly timeoutMs: number;
  /** Paths of PEM files, read anew for connections, since certificates are renewed while a process runs. */
  readonly tls: TlsFiles;
}

export interface TlsFiles {
  /** Who signs the receiver's certificate. */
  readonly ca?: string;
  /** Ours, and its key. */
  readonly cert?: string;
  readonly key?: string;
}

interface DestinationBase {
  /** The same for the same place whatever else is set; fit for a file name: `otlp-` or `file-` and 12 hexadecimal characters. */
  readonly id: string;
  /** For people: the endpoint without its query. */
  readonly name: string;
  readonly signals: readonly Signal[];
  readonly temporality: Temporality;
}

/** A receiver over OTLP/HTTP. Signals that go to one scheme, host and port are one destination: it answers or does not. */
export interface HttpDestinationSettings extends DestinationBase {
  readonly kind: 'http';
  /** One for each of `signals`. */
  readonly routes: { readonly [S in Signal]?: SignalRoute };
}

/** OTLP files in a folder. */
export interface FileDestinationSettings extends DestinationBase {
  readonly kind: 'file';
  /** Absolute. */
  readonly directory: string;
}

export type DestinationSettings = HttpDestinationSettings | FileDestinationSettings;

/** Which traces are kept. */
export interface SamplerSettings {
  readonly kind: 'always_on' | 'always_off' | 'traceidratio';
  /** Whether a span's parent decides, and `kind` only for spans without one. */
  readonly parentBased: boolean;
  /** For `traceidratio`: 0 to 1. */
  readonly ratio: number;
}

/** Most attributes of a thing, and most characters of a text among their values; undefined: no bound. */
export interface AttributeLimits {
  readonly count: number;
  readonly valueLength: number | undefined;
}

/** What one span or log record may hold. */
export interface LimitSettings {
  readonly span: AttributeLimits;
  readonly logRecord: AttributeLimits;
  readonly eventCount: number;
  readonly linkCount: number;
  readonly attributesPerEvent: number;
  readonly attributesPerLink: number;
}

/** How spans or log records are put together (`OTEL_BSP_*`, `OTEL_BLRP_*`). */
export interface BatchSettings {
  readonly delayMs: number;
  /** More are not kept in memory. */
  readonly maxQueue: number;
  /** At most `maxQueue`. */
  readonly maxBatch: number;
}

/** One effective value, for people. */
export interface EffectiveValue {
  /** `endpoint`, `traces endpoint`, `sampler` … */
  readonly name: string;
  /** Without secrets: of headers the names only, of a URL no query. */
  readonly value: string;
  /** Which variable, key of a file or option won: `OTEL_EXPORTER_OTLP_ENDPOINT`, `/etc/loki/config.yaml:3`; `default`. */
  readonly from: string;
  /** What says something else, and is weaker. */
  readonly passedOver?: readonly string[];
}

export interface TelemetrySettings {
  /** Whether anything is to be made at all: there is a destination, and nobody switched it off. */
  readonly isOn: boolean;
  /** Why not, in words; undefined when it is on. */
  readonly offBecause: string | undefined;
  readonly destinations: readonly DestinationSettings[];
  /** Attributes of the resource, `service.name` among them. */
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: SamplerSettings;
  readonly propagators: { readonly traceContext: boolean; readonly baggage: boolean };
  readonly limits: LimitSettings;
  readonly spans: BatchSettings;
  readonly logs: BatchSettings;
  readonly metrics: {
    readonly intervalMs: number;
    /** For the looks at what is measured; 0: no limit. */
    readonly exportTimeoutMs: number;
    readonly histograms: 'explicit_bucket_histogram' | 'base2_exponential_bucket_histogram';
  };
  /** What could not be used, or means something else than one might think. Never a reason to stop. */
  readonly problems: readonly Problem[];
  /** Every value somebody set, and the important defaults. */
  readonly effective: readonly EffectiveValue[];
}
