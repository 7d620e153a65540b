/** Where telemetry lies below LOKI_HOME (docs/architecture.md, docs/formats/spool.md). Paths only; nothing here looks at the disk. */
import { join } from '../../base/paths.ts';
import type { HomeLayout } from '../../config/layout.ts';

export interface TelemetryPlaces {
  /** All of it. */
  readonly folder: string;
  /** What processes that do not send have made, until the courier takes it over. */
  readonly handedOver: string;
  /** The courier's account. */
  readonly account: string;
  /** What was counted of the log of record, and how far. */
  readonly counted: string;
  /** The path whose lock makes a process the courier. */
  readonly lock: string;
}

export function telemetryPlaces({ spool, run }: Pick<HomeLayout, 'spool' | 'run'>): TelemetryPlaces {
  const folder = join(spool, 'telemetry');
  return { folder, handedOver: join(folder, 'handed-over'), account: join(folder, 'state.json'), counted: join(folder, 'counted.json'), lock: join(run, 'telemetry') };
}
