/** What processes of all kinds make telemetry with: places, drivers, the recorder, and the resource that says who tells. */
import type { Resource, Scope } from '../../base/telemetry-data.ts';
import { spoolDrivers } from '../../host/spool-files.ts';
import { signals, type Signal } from '../../telemetry/batch.ts';
import { scopeName } from '../../telemetry/names.ts';
import { createRecorder, type Recorder } from '../../telemetry/recorder.ts';
import type { TelemetrySettings } from '../../telemetry/settings.ts';
import type { Installation } from '../installation.ts';
import { version } from '../version.ts';
import type { AccountPlace } from './account.ts';
import type { Temporality } from './handover-names.ts';
import type { HandoverPlace } from './handover.ts';
import type { MakingSettings } from './making-settings.ts';
import { telemetryPlaces } from './places.ts';

export const scope: Scope = { name: scopeName, version };

/** Where this process hands over. */
export function handoverPlace({ host, home }: Installation): HandoverPlace {
  const { spoolFiles } = spoolDrivers(host);
  return { files: spoolFiles, disk: host.disk, clock: host.clock, random: host.random, base: home.home, folder: telemetryPlaces(home).handedOver };
}

export function accountPlace({ host, home }: Installation): AccountPlace {
  return { disk: host.disk, loose: spoolDrivers(host).looseFiles, base: home.home, path: telemetryPlaces(home).account };
}

export function recorderOf({ host: { clock, random } }: Installation, making: MakingSettings): Recorder {
  return createRecorder({ clock, random, ...making });
}

/** Of all settings those that spans and records are made with. */
export function makingOf(settings: TelemetrySettings): MakingSettings {
  const { resource, sampler, limits, spans, logs, propagators } = settings;
  return { resource, signals: wantedSignals(settings), sampler, limits, spans, logs, propagators };
}

/** What some destination wants. */
export function wantedSignals({ destinations }: TelemetrySettings): readonly Signal[] {
  return signals.filter((signal) => destinations.some((each) => each.signals.includes(signal)));
}

/** How metrics are to be counted, of all destinations that want some. */
export function temporalitiesOf({ destinations }: TelemetrySettings): readonly Temporality[] {
  return [...new Set(destinations.filter(({ signals: wanted }) => wanted.includes('metrics')).map(({ temporality }) => temporality))];
}

/** `instance`: tells processes apart that live long enough to be told apart. */
export function resourceOf({ resource }: Pick<TelemetrySettings, 'resource'>, instance?: string): Resource {
  return { attributes: { ...resource, ...(instance === undefined ? {} : { 'service.instance.id': instance }) } };
}

/** A UUID of version 4 (RFC 9562 section 5.4) made of 16 bytes of chance. */
export function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
