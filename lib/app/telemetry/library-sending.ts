/** What sends the telemetry of a program that embeds this library: destinations without a disk behind them, and the pipeline to them. */
import { LokiError, messageOf } from '../../errors.ts';
import { createExportTransport } from '../../host/export-transport.ts';
import { createHost } from '../../host/host.ts';
import { spoolDrivers } from '../../host/spool-files.ts';
import { signals, type Destination } from '../../telemetry/batch.ts';
import { createFileDestination } from '../../telemetry/export/file-destination.ts';
import { userAgentOf } from '../../telemetry/export/options.ts';
import { createOtlpDestination } from '../../telemetry/export/otlp-destination.ts';
import { startPipeline } from '../../telemetry/pipeline.ts';
import type { DestinationSettings } from '../../telemetry/settings.ts';
import { version } from '../version.ts';
import type { Sending, SendingParts } from './library.ts';
import { endpointOf } from './open-destinations.ts';

/** A destination that cannot be made is told, and left out. */
export function startSending({ recorder, settings, countDrops, problem }: SendingParts): Sending {
  const host = createHost(() => '');
  const { clock, timers, random } = host;
  const transport = createExportTransport();
  const { spoolFiles, lineFiles } = spoolDrivers(host);

  function open(one: DestinationSettings): Destination {
    const { name, temporality } = one;
    if (one.kind === 'file') return createFileDestination({ name, signals: one.signals, temporality, files: lineFiles, folder: one.directory, clock, random, countDrops, spoolFiles });
    const endpoints = Object.fromEntries(signals.flatMap((signal) => (one.routes[signal] === undefined ? [] : [[signal, endpointOf(host, one.routes[signal])]])));
    return createOtlpDestination({ name, endpoints, temporality, transport, clock, timers, random, userAgent: userAgentOf(version), countDrops });
  }

  const destinations = settings.destinations.flatMap((one) => {
    try {
      return [open(one)];
    } catch (error) {
      problem({ message: `${one.name} is left out: ${messageOf(error)}`, ...(error instanceof LokiError && error.hint !== undefined ? { hint: error.hint } : {}) });
      return [];
    }
  });
  const { resource, metrics: { intervalMs, exportTimeoutMs } } = settings;
  const pipeline = startPipeline({ recorder, resource: { attributes: resource }, destinations, clock, timers, random, countDrops, metricIntervalMs: intervalMs, metricTimeoutMs: exportTimeoutMs });
  return {
    flush: (timeoutMs) => pipeline.flush(timeoutMs),
    async shutdown(timeoutMs) {
      await pipeline.shutdown(timeoutMs);
      transport.close();
    },
  };
}
