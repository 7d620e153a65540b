/**
 * The settings of telemetry of this installation: configuration files and LOKI_* variables, with OpenTelemetry's own variables between them. What
 * cannot be used is told and switches off what it concerns; it stops nobody.
 */
import { parseEndpoint } from '../../base/otlp-endpoint.ts';
import type { Config, Origin, Warning } from '../../config/config.ts';
import { telemetrySection, type TelemetryDestination } from '../../config/sections/telemetry.ts';
import type { FurtherDestination } from '../../telemetry/destinations.ts';
import { nobodyAsked, resolveSettings } from '../../telemetry/resolve-settings.ts';
import type { DestinationSettings, TelemetrySettings } from '../../telemetry/settings.ts';
import type { Key, Voice } from '../../telemetry/voices.ts';
import type { Installation } from '../installation.ts';
import { isOurFolder, refusedReceiver } from './refused-receiver.ts';
import { ownResource } from './own-resource.ts';
import { isTelemetryOn } from './telemetry.ts';

export { nobodyAsked, type TelemetrySettings };

/** Which row of OpenTelemetry's variables a key of ours stands beside. */
const rowOf: { readonly [Field in keyof Config['telemetry']]?: Key } = {
  endpoint: 'endpoint', serviceName: 'serviceName', headers: 'headers', ca: 'certificate', cert: 'clientCertificate', key: 'clientKey',
  timeout: 'timeout', compression: 'compression', temporality: 'temporality', sampler: 'sampler', samplerArg: 'samplerArg',
};

/** What counts. Reads nothing but the configuration and the environment. */
export function resolveTelemetry(installation: Pick<Installation, 'config' | 'surroundings' | 'home'> & { readonly host: { readonly facts: { readonly hostname: string } } }): TelemetrySettings {
  const { config, surroundings: { env }, home, host: { facts } } = installation;
  const settings = resolveSettings({
    env, over: voiceOf(config, (layer) => layer === 'flag' || layer === 'environment'), under: voiceOf(config, (layer) => layer === 'organisation' || layer === 'user'),
    usual: { serviceName: telemetrySection.serviceName.default, resource: ownResource(facts) },
    further: config.telemetry.destinations.flatMap((each, at) => furtherOf(each, `${placeOf(config.origin(telemetrySection.destinations.key))} [${at}]`)),
    refused: refusedReceiver(installation),
  });
  return withMistakes(withoutOurFolder(withOurBuckets(settings), home.home), installation);
}

/** What the configuration set aside is told first: without it, telemetry that somebody asked for would look like telemetry that nobody asked for. */
function withMistakes(settings: TelemetrySettings, { config, surroundings: { env } }: Pick<Installation, 'config' | 'surroundings'>): TelemetrySettings {
  const mistakes = config.warnings.filter(({ setting }) => setting?.startsWith(ownKeys) === true);
  const problems = [...mistakes.map(asProblem), ...settings.problems];
  const isAsked = isTelemetryOn(config, env) || (env[generalEndpoint] ?? '') !== '' || mistakes.some(({ setting }) => setting === telemetrySection.endpoint.key || setting === telemetrySection.destinations.key);
  const isInVain = settings.offBecause === nobodyAsked && isAsked && problems.length > 0;
  return { ...settings, problems, offBecause: isInVain ? receiverUnusable : settings.offBecause };
}

/** Why telemetry is off where a receiver is named, and set aside. */
export const receiverUnusable = 'the receiver that is named cannot be used';
const ownKeys = 'enterprise.telemetry.';
const generalEndpoint = 'OTEL_EXPORTER_OTLP_ENDPOINT';

function asProblem({ message, file, line }: Warning): { readonly message: string } {
  return { message: `${file === undefined ? '' : `${file}:${line ?? 1}: `}${message}` };
}

/** Histograms of ours have one form everywhere (contract section 8), and `/metrics` has no other. */
function withOurBuckets(settings: TelemetrySettings): TelemetrySettings {
  if (settings.metrics.histograms === 'explicit_bucket_histogram') return settings;
  const message = `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION is ${settings.metrics.histograms}; the metrics of this program are sent with the buckets that they have at /metrics`;
  return { ...settings, problems: [...settings.problems, { message }] };
}

/** What the layers of our configuration say that `isTheirs` holds for. OpenTelemetry's variables speak for themselves. */
function voiceOf(config: Config, isTheirs: (layer: Origin['layer']) => boolean): Voice {
  return Object.fromEntries(Object.entries(rowOf).flatMap(([field, key]) => {
    const { key: setting, value } = said(config, field);
    const origin = config.origin(setting);
    if (value === undefined || !isTheirs(origin.layer) || origin.name.startsWith('OTEL_')) return [];
    return [[key, { value, from: placeOf(origin) }]];
  }));
}

function said({ telemetry }: Config, field: string): { readonly key: string; readonly value: unknown } {
  const fields: Readonly<Record<string, unknown>> = { ...telemetry };
  const rows: Readonly<Record<string, { readonly key: string }>> = telemetrySection;
  return { key: rows[field]?.key ?? '', value: fields[field] };
}

function placeOf({ name, line }: Origin): string {
  return line === undefined ? name : `${name}:${line}`;
}

function furtherOf({ endpoint, headers, signals, temporality, compression, timeout, ca, cert, key }: TelemetryDestination, from: string): readonly FurtherDestination[] {
  const parsed = parseEndpoint(endpoint);
  if (parsed.kind === 'none') return [];
  const tls = { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
  return [{ endpoint: { value: parsed, from }, headers, signals, temporality, compression, timeoutMs: timeout, tls }];
}

/** LOKI_HOME holds records, and nothing that others are to read: no files of telemetry are put there for them. */
function withoutOurFolder(settings: TelemetrySettings, home: string): TelemetrySettings {
  const isOurs = (each: DestinationSettings): boolean => each.kind === 'file' && isOurFolder(each.directory, home);
  const destinations = settings.destinations.filter((each) => !isOurs(each));
  if (destinations.length === settings.destinations.length) return settings;
  const problems = [...settings.problems, { message: `no files of telemetry are put into LOKI_HOME (${home}), which holds records`, hint: 'Name a folder elsewhere' }];
  const isOn = settings.isOn && destinations.length > 0;
  return { ...settings, destinations, problems, isOn, offBecause: isOn ? undefined : settings.offBecause ?? 'no receiver is left' };
}
