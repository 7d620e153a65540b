/** The courier of an installation, put together: the lock that makes a process it, its destinations, and what it counts of the log of record. */
import type { Lock } from '../../ports.ts';
import { LokiError, type Problem } from '../../errors.ts';
import { encodeMetrics } from '../../formats/otlp/metrics.ts';
import type { TelemetrySettings } from '../../telemetry/settings.ts';
import type { Installation } from '../installation.ts';
import { accountFamilies } from './account-families.ts';
import { openCountedLog, type CountedLog } from './counted-log.ts';
import { createCourier, type Courier } from './courier.ts';
import { subtractFamilies } from './families.ts';
import { look } from './handover-names.ts';
import { metricData } from './metric-data.ts';
import { openDestinations, type OpenDestinations } from './open-destinations.ts';
import { accountPlace, handoverPlace, resourceOf, scope, temporalitiesOf } from './parts.ts';
import { telemetryPlaces } from './places.ts';
import { spoolDrivers } from '../../host/spool-files.ts';

export interface OpenCourier extends Courier {
  /** Destinations that could not be made. */
  readonly problems: readonly Problem[];
  /** Counts what was added to the log, and gives it to the destinations. `always`: also where nothing was. */
  tellMetrics(always: boolean): Promise<void>;
}

/** Makes this process the courier, where nobody else is; undefined where somebody is. Throws where the lock cannot be taken at all. */
export async function becomeCourier(installation: Installation, settings: TelemetrySettings, kind: string): Promise<OpenCourier | undefined> {
  const { host, home } = installation;
  const lock = host.lock(telemetryPlaces(home).lock);
  if (!await isTaken(lock)) return undefined;
  try {
    return openCourier(installation, settings, kind, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function isTaken(lock: Lock): Promise<boolean> {
  try {
    await lock.acquire(0);
    return true;
  } catch (error) {
    if (error instanceof LokiError && error.code === 'lock.timeout') return false;
    throw error;
  }
}

function openCourier(installation: Installation, settings: TelemetrySettings, kind: string, lock: Lock): OpenCourier {
  const { host, home, config } = installation;
  const place = handoverPlace(installation);
  let opened: OpenDestinations | undefined;
  const courier = createCourier({
    kind, place, account: accountPlace(installation), clock: host.clock, timers: host.timers, facts: host.facts,
    destinations(countDrops) {
      opened = openDestinations(installation, settings.destinations, { countDrops, spools: true });
      return opened.all;
    },
  });
  const temporalities = temporalitiesOf(settings);
  // Before anything is taken over.
  const newFrom = firstHandedOver(place, host.clock.now());
  let telling: Promise<void> = Promise.resolve();
  let counted: CountedLog | undefined;
  const countedLog = (): CountedLog => counted ??= openCountedLog({
    disk: host.disk, loose: spoolDrivers(host).looseFiles, clock: host.clock, timers: host.timers, random: host.random,
    base: home.home, path: telemetryPlaces(home).counted, log: home.audit, newFrom,
  });

  async function tellMetrics(always: boolean): Promise<void> {
    if (temporalities.length === 0) return;
    const log = countedLog();
    // A log that cannot be read is no reason to say nothing of what was delivered and dropped.
    const changed = config.audit.enabled && await log.look().catch(() => false);
    if (!changed && !always) return;
    const now = log.read(accountFamilies(courier.read()));
    const before = log.told;
    const resource = resourceOf(settings, now.instance);
    for (const temporality of temporalities) {
      const isWhole = temporality === 'cumulative';
      const families = isWhole ? now.families : subtractFamilies(now.families, before.families);
      const data = metricData(families, { scope, temporality: isWhole ? 'cumulative' : 'delta', startTime: isWhole ? now.since : before.at, time: now.at });
      for (const message of encodeMetrics(resource, data).messages) courier.offer({ signal: 'metrics', ...message }, temporality);
    }
    log.keep();
  }

  return {
    destinations: courier.destinations, problems: opened?.problems ?? [], countDrops: courier.countDrops,
    offer: (batch, temporality) => courier.offer(batch, temporality), sweep: () => courier.sweep(), save: (now) => courier.save(now), read: () => courier.read(),
    tellMetrics(always) {
      telling = telling.then(() => tellMetrics(always)).catch(() => undefined);
      return telling;
    },
    async close(deadlineMs) {
      try {
        await courier.close(deadlineMs);
      } finally {
        opened?.close();
        lock.release();
      }
    },
  };
}

/** A hook records before it hands over; where it waited for a person, an entry or two of long before are not counted. */
const handsOverWithinMs = 10_000;

/** From when on a log is counted that was never counted before. */
function firstHandedOver(place: Parameters<typeof look>[0], now: number): number {
  const [first] = look(place).batches;
  return first === undefined ? now : Math.min(now, first.madeMs - handsOverWithinMs);
}
