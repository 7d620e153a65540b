/**
 * Telemetry of a process that lives for a moment: kept in memory, and written to disk in one go when it ends, for the courier. No network, no timer,
 * no lock; what is on disk stays there until somebody takes it, and where nobody lives to do so, a process is left behind that does.
 */
import { encodeLogs } from '../../formats/otlp/logs.ts';
import { encodeSpans } from '../../formats/otlp/spans.ts';
import type { Encoded } from '../../formats/otlp/envelope.ts';
import type { Signal } from '../../telemetry/batch.ts';
import type { Queue } from '../../telemetry/recorder.ts';
import type { Installation } from '../installation.ts';
import { dropRows, withDrops, type DropCounts } from './account.ts';
import { handOver, noteDrops, type HandoverPlace } from './handover.ts';
import { leaveTelemetry } from './leave.ts';
import type { MakingSettings } from './making-settings.ts';
import { handoverPlace, recorderOf, resourceOf, scope } from './parts.ts';
import type { ProcessTelemetry } from './telemetry.ts';

export function openShortLived(installation: Installation, settings: MakingSettings): ProcessTelemetry {
  const recorder = recorderOf(installation, settings);
  const resource = resourceOf(settings);
  let dropped: DropCounts = {};
  recorder.hear({
    begun: () => undefined,
    full: () => undefined,
    dropped: (signal, reason) => { dropped = withDrops(dropped, signal, reason, 1); },
  });
  let ended: Promise<void> | undefined;

  function handAllOver(): void {
    const place = handoverPlace(installation);
    let handed = handQueue(place, 'traces', recorder.spans, (items) => encodeSpans(resource, items));
    handed = handQueue(place, 'logs', recorder.logs, (items) => encodeLogs(resource, items)) || handed;
    recorder.close();
    for (const [signal, reason, items] of dropRows(dropped)) noteDrops(place, signal, reason, items);
    if (handed) leaveTelemetry(installation);
  }

  return {
    tracer: recorder.tracer(scope), logger: recorder.logger(scope), isOn: true,
    end() {
      ended ??= Promise.resolve().then(handAllOver).catch(() => undefined);
      return ended;
    },
  };
}

/** Everything in a queue, as batches on disk. True when there was something. */
function handQueue<Item extends { readonly size: number }>(place: HandoverPlace, signal: Signal, queue: Queue<Item>, encode: (items: readonly Item[]) => Encoded): boolean {
  const had = queue.length > 0;
  while (queue.length > 0) {
    const { messages, tooLarge } = encode(queue.take());
    noteDrops(place, signal, 'too_large', tooLarge);
    for (const message of messages) handOver(place, { signal, ...message }, 'cumulative');
  }
  return had;
}
