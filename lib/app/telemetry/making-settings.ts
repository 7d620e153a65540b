/**
 * What a process that hands over has to know: whether telemetry is on, and what spans and records are made with. An agent waits for a hook, and
 * reading OpenTelemetry's whole table of variables takes longer than all that a hook tells. Nearly always the answer follows from less, and
 * then this file gives it; else the table does (`settings.ts`). A test holds the one against the other for every variable there is.
 */
import { parseEndpoint } from '../../base/otlp-endpoint.ts';
import type { RecorderOptions } from '../../telemetry/recorder.ts';
import { readAttributes } from '../../telemetry/resource-attributes.ts';
import { samplerNamed } from '../../telemetry/sampler.ts';
import type { Installation } from '../installation.ts';
import { ownResource } from './own-resource.ts';
import { isOurFolder, refusedReceiver } from './refused-receiver.ts';

/** What is left out is as the specification has it. */
export interface MakingSettings extends Pick<RecorderOptions, 'signals' | 'sampler' | 'limits' | 'spans' | 'logs' | 'propagators'> {
  readonly resource: Readonly<Record<string, string>>;
}

/** What they follow from. */
export type MakingSource = Pick<Installation, 'config' | 'surroundings' | 'home'> & { readonly host: { readonly facts: { readonly hostname: string } } };

/** Undefined where telemetry is off. */
export async function makingSettings(installation: MakingSource): Promise<MakingSettings | undefined> {
  const short = shortSettings(installation);
  if (short !== undefined) return short;
  const [{ resolveTelemetry }, { makingOf }] = await Promise.all([import('./settings.ts'), import('./parts.ts')]);
  const settings = resolveTelemetry(installation);
  return settings.isOn ? makingOf(settings) : undefined;
}

/** Variables that have a say in what is made beside those that are read here: where one of them is set, the table is asked. */
const furtherVariables: readonly string[] = [
  'OTEL_SDK_DISABLED', 'OTEL_PROPAGATORS', 'OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
  'OTEL_BSP_MAX_QUEUE_SIZE', 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'OTEL_BLRP_MAX_QUEUE_SIZE', 'OTEL_BLRP_MAX_EXPORT_BATCH_SIZE',
  'OTEL_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT',
  'OTEL_SPAN_EVENT_COUNT_LIMIT', 'OTEL_SPAN_LINK_COUNT_LIMIT', 'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', 'OTEL_LINK_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT', 'OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT',
];
/** Agents' own telemetry sets these, nearly always to `otlp`, which changes nothing here. */
const exporterVariables: readonly string[] = ['OTEL_TRACES_EXPORTER', 'OTEL_METRICS_EXPORTER', 'OTEL_LOGS_EXPORTER'];
/** A name that nobody would change anything about. */
const plainName = /^[!-~](?:[ -~]{0,200}[!-~])?$/;

/** Undefined where it takes the table to say. A receiver for all signals means that there is something to make; further ones add nothing to that. */
export function shortSettings(installation: MakingSource): MakingSettings | undefined {
  const { config: { telemetry: { serviceName, sampler, samplerArg } }, surroundings: { env }, host: { facts } } = installation;
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  if (furtherVariables.some(isSet) || exporterVariables.some((name) => isSet(name) && env[name] !== 'otlp')) return undefined;
  const further = readAttributes(env['OTEL_RESOURCE_ATTRIBUTES'] ?? '');
  if (further === undefined || 'service.name' in further || !plainName.test(serviceName) || !isReceiver(installation)) return undefined;
  return {
    resource: { ...ownResource(facts), ...further, 'service.name': serviceName },
    ...(sampler === undefined ? {} : { sampler: samplerNamed(sampler, samplerArg) }),
  };
}

/** Whether the receiver that is configured for all signals can be one. */
function isReceiver(installation: MakingSource): boolean {
  const { config: { telemetry }, home: { home } } = installation;
  const endpoint = parseEndpoint(telemetry.endpoint ?? '');
  if (endpoint.kind === 'none') return false;
  return endpoint.kind === 'file' ? !isOurFolder(endpoint.directory, home) : refusedReceiver(installation)(endpoint.host) === undefined;
}
