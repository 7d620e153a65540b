/** What leaves a process: finished OTLP JSON, shared by all destinations and changed by none. Types, and the closed lists that counts are kept by. */

import type { Signal } from '../base/telemetry-data.ts';

export type { Signal };

export const signals: readonly Signal[] = ['traces', 'metrics', 'logs'];

/** Items: spans, data points or log records. */
export interface Batch {
  readonly signal: Signal;
  readonly items: number;
  /**
   * One OTLP/JSON message of the signal (`{"resourceSpans":[…]}`), as it is sent and as it stands in a line of a file: one line, no line feed. The
   * shapes of a request and of a line of a file are the same (opentelemetry-proto, docs/specification.md; file-exporter.md).
   */
  readonly body: string;
}

/** Why something was not delivered, and never will be. */
export type DropReason =
  /** More was made than could be kept in memory. */
  | 'queue_full'
  /** It was the oldest on disk when the bound was reached. */
  | 'spool_full'
  /** The receiver took the request and refused these of it (partial success). */
  | 'rejected'
  /** The receiver answered that it does not want this, now or later (4xx, 5xx that are not to be retried). */
  | 'refused'
  /** Beyond what may be sent at once. */
  | 'too_large'
  /** A file of the spool that cannot be read any more. */
  | 'damaged'
  /** It could not be written to disk. */
  | 'disk'
  /** The process ended before it could be handed over. */
  | 'shutdown';

/** Counts what was dropped. */
export type CountDrops = (signal: Signal, reason: DropReason, items: number) => void;

/** Where batches go. Nothing here throws, and nothing waits for a network but `flush` and `close`. */
export interface Destination {
  /** For people: the endpoint without its query. */
  readonly name: string;
  /** Which signals it wants. */
  readonly signals: readonly Signal[];
  /** How metrics are to be counted for it (`OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`). */
  readonly temporality: 'cumulative' | 'delta' | 'lowmemory';
  offer(batch: Batch): void;
  /** True when everything offered before is delivered (or dropped), false when the time was up. */
  flush(deadlineMs: number): Promise<boolean>;
  /** As `flush`; what could not be delivered is on disk afterwards, where there is one. */
  close(deadlineMs: number): Promise<void>;
}
