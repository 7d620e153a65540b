/**
 * The destinations that settings name, ready to be given batches. One that cannot be made, because a file of its certificate cannot be read, is left out
 * and told; the others are not held up by it.
 */
import type { Disk } from '../../ports.ts';
import { LokiError, messageOf, type Problem } from '../../errors.ts';
import { join } from '../../base/paths.ts';
import { createExportTransport } from '../../host/export-transport.ts';
import { spoolDrivers } from '../../host/spool-files.ts';
import { signals, type CountDrops } from '../../telemetry/batch.ts';
import { createFileDestination } from '../../telemetry/export/file-destination.ts';
import { userAgentOf, type OtlpEndpoint, type StandingDestination } from '../../telemetry/export/options.ts';
import { createOtlpDestination } from '../../telemetry/export/otlp-destination.ts';
import type { DestinationSettings, FileDestinationSettings, HttpDestinationSettings, SignalRoute, TlsFiles } from '../../telemetry/settings.ts';
import type { Installation } from '../installation.ts';
import { version } from '../version.ts';
import { telemetryPlaces } from './places.ts';
import { refusedReceiver } from './refused-receiver.ts';

export interface OpenDestinations {
  readonly all: readonly StandingDestination[];
  readonly problems: readonly Problem[];
  /** To be called after all of them are closed. */
  close(): void;
}

export interface OpeningOptions {
  readonly countDrops: CountDrops;
  /** Whether what cannot be sent is kept on disk. */
  readonly spools: boolean;
}

const largestPem = 1 << 20;
/** Certificates are renewed while a process runs. */
const pemForMs = 60_000;

export function openDestinations(installation: Installation, settings: readonly DestinationSettings[], options: OpeningOptions): OpenDestinations {
  const { host } = installation;
  const transport = createExportTransport(refusedReceiver(installation));
  const { spoolFiles, lineFiles } = spoolDrivers(host);
  const problems: Problem[] = [];

  function otlp({ id, name, temporality, routes }: HttpDestinationSettings): StandingDestination {
    const endpoints = Object.fromEntries(signals.flatMap((signal) => (routes[signal] === undefined ? [] : [[signal, endpointOf(host, routes[signal])]])));
    const maxBytes = installation.config.telemetry.spoolMb << 20;
    const keeps = options.spools && maxBytes > 0;
    return createOtlpDestination({
      name, endpoints, temporality, transport, clock: host.clock, timers: host.timers, random: host.random, userAgent: userAgentOf(version), handedOver: spoolFiles, countDrops: options.countDrops,
      ...(keeps ? { spool: { files: spoolFiles, base: installation.home.home, folder: join(telemetryPlaces(installation.home).folder, id), maxBytes } } : {}),
    });
  }

  function file({ name, signals: wanted, temporality, directory }: FileDestinationSettings): StandingDestination {
    return createFileDestination({ name, signals: wanted, temporality, files: lineFiles, folder: directory, clock: host.clock, random: host.random, countDrops: options.countDrops, spoolFiles });
  }

  const all = settings.flatMap((one) => {
    try {
      return [one.kind === 'http' ? otlp(one) : file(one)];
    } catch (error) {
      problems.push({ message: `${one.name} is left out: ${messageOf(error)}`, ...(error instanceof LokiError && error.hint !== undefined ? { hint: error.hint } : {}) });
      return [];
    }
  });
  return { all, problems, close: () => transport.close() };
}

export interface ReadingHost {
  readonly disk: Pick<Disk, 'read'>;
  readonly clock: { monotonic(): number };
}

/** A route with its secrets and certificates at hand. Throws `config.invalid` where a file of a certificate cannot be read. */
export function endpointOf(host: ReadingHost, { url, headers, gzip, timeoutMs, tls }: SignalRoute): OtlpEndpoint {
  const endpoint = { url, headers: Object.fromEntries([...headers].map(([name, value]) => [name, value.reveal()])), gzip, timeoutMs };
  if (Object.keys(tls).length === 0) return endpoint;
  let [known, readAt] = [readTls(host, tls), host.clock.monotonic()];
  return {
    ...endpoint,
    get tls() {
      if (host.clock.monotonic() - readAt < pemForMs) return known;
      readAt = host.clock.monotonic();
      try {
        known = readTls(host, tls);
      } catch {
        // Somebody is just putting new ones there; those that were read are good until they are refused.
      }
      return known;
    },
  };
}

function readTls({ disk }: ReadingHost, files: TlsFiles): NonNullable<OtlpEndpoint['tls']> {
  return Object.fromEntries(Object.entries(files).map(([kind, path]) => {
    const bytes = disk.read(path, largestPem);
    if (bytes === undefined) throw new LokiError('config.invalid', { attempted: `read its certificate files (${kind})`, found: `"${path}" does not exist`, hint: 'Name a PEM file that this user can read' });
    return [kind, Buffer.from(bytes).toString('utf8')];
  }));
}
