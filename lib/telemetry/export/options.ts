/** What a destination is made of, and what it can do beyond `Destination`. Types only: who puts telemetry together builds on these. */
import type { ExportRequest, ExportTransport, LineFiles, SpoolFile, SpoolFiles } from '../../base/telemetry-ports.ts';
import type { Clock, Random, Timers } from '../../ports.ts';
import type { CountDrops, Destination, Signal } from '../batch.ts';
import type { DestinationStand } from './stand.ts';

/** A destination that can say how it stands, and take over what other processes left on disk. */
export interface StandingDestination extends Destination {
  /** As it stands now: plain JSON, and no secret in it. */
  stand(): DestinationStand;
  /**
   * Takes over a file that another process handed over (`lib/telemetry/export/spool-name.ts` for its name; one line, as a spool file), as `SpoolFiles.list`
   * of its folder gave it. True: it is this destination's matter now, on disk where it has a spool, and the file may go. That holds also for what it
   * does not want, and for what is damaged or gone. False: not now (no room in memory, a disk that does not take it); leave the file and come again.
   */
  adopt(folder: string, file: SpoolFile): boolean;
}

/** Where one signal goes. */
export interface OtlpEndpoint {
  /** The whole URL, with its path; as it is called. */
  readonly url: string;
  /** By lower-case name. Their values are secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  /** For a whole exchange; 0: no limit. */
  readonly timeoutMs: number;
  /** PEM texts. */
  readonly tls?: NonNullable<ExportRequest['tls']>;
}

/** Where a destination keeps what it cannot send. */
export interface SpoolPlace {
  readonly files: SpoolFiles;
  /** LOKI_HOME: a folder that exists. */
  readonly base: string;
  /** Below `base`, this destination's alone. Made when it is first needed. */
  readonly folder: string;
  /** Beyond either, the oldest go. */
  readonly maxBytes: number;
  /** 20,000 when left out. */
  readonly maxFiles?: number;
}

export interface OtlpDestinationOptions {
  /** For people: the endpoint without its query. */
  readonly name: string;
  /** The signals it wants, and where each goes. */
  readonly endpoints: { readonly [signal in Signal]?: OtlpEndpoint };
  readonly temporality: Destination['temporality'];
  /** Belongs to whoever made it; may be shared by destinations, and is closed after them. */
  readonly transport: ExportTransport;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Of this program (`userAgentOf`). */
  readonly userAgent: string;
  /** Requests of one signal at the same time; 1 when left out. With more, order is not kept. */
  readonly connections?: number;
  /** What may wait in memory, of each signal; 64 batches and 8 MiB when left out. */
  readonly memory?: { readonly batches: number; readonly bytes: number };
  /** Left out: nothing is kept on disk, and what is more than memory may hold is dropped, the oldest first. */
  readonly spool?: SpoolPlace;
  /** Where there is no spool, by which files that are adopted are read. */
  readonly handedOver?: Pick<SpoolFiles, 'read'>;
  readonly countDrops: CountDrops;
}

/** `file:` as a destination. */
export interface FileDestinationOptions {
  /** For people: the file: URL. */
  readonly name: string;
  readonly signals: readonly Signal[];
  readonly temporality: Destination['temporality'];
  readonly files: LineFiles;
  /** An absolute path; made when it is missing. */
  readonly folder: string;
  /** A file is ended when it would become larger, 16 MiB when left out, */
  readonly fileBytes?: number;
  /** or when it is so old: an hour when left out. */
  readonly fileMs?: number;
  /** Of all files that it ever wrote there; the oldest go. 1 GiB when left out. */
  readonly maxBytes?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly countDrops: CountDrops;
  /** For `adopt`. */
  readonly spoolFiles: Pick<SpoolFiles, 'read'>;
}

/** The header User-Agent, as the specification of the exporter asks for it: product, then exporter. */
export function userAgentOf(version: string): string {
  return `loki-enterprise/${version} OTel-OTLP-Exporter-Loki/${version}`;
}
