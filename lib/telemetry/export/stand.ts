/** How a destination stands, as plain JSON: what `loki telemetry status` shows and the courier keeps. Holds no secret: no header, no query, no body. */
import type { DropReason, Signal } from '../batch.ts';

/** `direct`: from memory to the receiver. `spooling`: something waits on disk, or the receiver does not answer. */
export type DestinationState = 'direct' | 'spooling';

/** Something that was tried: when (milliseconds since 1970), and what came of it, in words. */
export interface Tried {
  readonly at: number;
  readonly words: string;
}

/** Counts since this process began. Items: spans, data points, log records. */
export interface SignalStand {
  readonly state: DestinationState;
  readonly delivered: number;
  /** By reason; reasons that never were are left out. */
  readonly dropped: { readonly [reason in DropReason]?: number };
  readonly lastSuccess: Tried | null;
  readonly lastFailure: Tried | null;
  /** What a receiver said beside taking everything: a warning, or why it rejected some. */
  readonly lastWarning: Tried | null;
  /** Attempts that failed since the last that did not. */
  readonly failures: number;
  /** When it is tried again; null while nothing stands in the way. */
  readonly nextTry: number | null;
}

export interface DestinationStand {
  readonly name: string;
  readonly kind: 'otlp' | 'file';
  readonly state: DestinationState;
  /** What waits, in memory and on disk. */
  readonly waiting: {
    readonly items: number;
    readonly files: number;
    readonly fileBytes: number;
    readonly batches: number;
    readonly batchBytes: number;
    /** Milliseconds since 1970 of the oldest; null when nothing waits. */
    readonly oldest: number | null;
  };
  readonly signals: { readonly [signal in Signal]?: SignalStand };
  /** What is wrong with the disk; null when nothing is. */
  readonly disk: Tried | null;
}
