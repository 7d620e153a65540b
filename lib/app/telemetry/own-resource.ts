/** Who tells, as far as the program knows it by itself. */
import { version } from '../version.ts';

/** Attributes of the resource that the environment may replace. */
export function ownResource({ hostname }: { readonly hostname: string }): Readonly<Record<string, string>> {
  return { 'service.version': version, 'telemetry.sdk.name': 'loki-enterprise', 'telemetry.sdk.language': 'nodejs', 'telemetry.sdk.version': version, 'host.name': hostname };
}
