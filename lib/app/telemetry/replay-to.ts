/** To whom OTLP files are replayed: those that are configured, or one that a person names. Headers of the configuration are never sent to that one. */
import { LokiError } from '../../errors.ts';
import { resolveSettings } from '../../telemetry/resolve-settings.ts';
import type { DestinationSettings, TelemetrySettings } from '../../telemetry/settings.ts';
import type { Installation } from '../installation.ts';
import { refusedReceiver } from './refused-receiver.ts';
import { resolveTelemetry } from './settings.ts';

/** Variables that say whether telemetry of ours is sent; a person who names a receiver has said that. Those that say where stay: headers are for the receiver they name. */
const without = /^OTEL_(?:SDK_DISABLED|(?:TRACES|METRICS|LOGS)_EXPORTER)$/;

/** Throws `config.invalid` where there is none that can be used. */
export function receiversFor(installation: Installation, to: string | undefined): readonly DestinationSettings[] {
  const settings = to === undefined ? resolveTelemetry(installation) : named(installation, to);
  if (settings.destinations.length > 0) return settings.destinations;
  const problem = settings.problems[0];
  throw new LokiError('config.invalid', {
    attempted: to === undefined ? 'find a receiver' : 'use the receiver of --to', found: problem?.message ?? settings.offBecause ?? 'there is none', hint: problem?.hint ?? 'Name one with --to, or set LOKI_OTEL_ENDPOINT',
  });
}

function named(installation: Installation, to: string): TelemetrySettings {
  const env = Object.fromEntries(Object.entries(installation.surroundings.env).filter(([name]) => !without.test(name)));
  return resolveSettings({ env, over: { endpoint: { value: to, from: '--to' } }, usual: { serviceName: 'loki-mode', resource: {} }, refused: refusedReceiver(installation) });
}
