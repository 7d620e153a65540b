/**
 * Telemetry of a process that lives long: sends by itself where it is the courier, and else hands over on disk, as hooks do, and tries to become
 * the courier now and then. No timer of it keeps the process alive, and nothing of it is waited for but at the end, which is bounded.
 */
import type { Cancel, Timers } from '../../ports.ts';
import type { Batch, Destination } from '../../telemetry/batch.ts';
import { signals as allSignals } from '../../telemetry/batch.ts';
import { startPipeline } from '../../telemetry/pipeline.ts';
import type { TelemetrySettings } from '../../telemetry/settings.ts';
import { countedFromLog } from '../metrics/log-counts.ts';
import type { Installation } from '../installation.ts';
import { dropRows, withDrops, type DropCounts } from './account.ts';
import { toldByAccount } from './account-families.ts';
import type { Temporality } from './handover-names.ts';
import { handOver, noteDrops } from './handover.ts';
import { leaveTelemetry } from './leave.ts';
import { becomeCourier, type OpenCourier } from './open-courier.ts';
import { handoverPlace, makingOf, recorderOf, resourceOf, scope, temporalitiesOf, uuidOf, wantedSignals } from './parts.ts';
import type { Measured, ProcessTelemetry } from './telemetry.ts';

const sweepEveryMs = 1_500;
/** How long nobody may send after the courier has died. */
const tryEveryMs = 5_000;
/** What a process that ends waits for receivers. */
const lastWordsMs = 2_000;

export function openLongLived(installation: Installation, settings: TelemetrySettings, kind: string): ProcessTelemetry {
  const { host } = installation;
  const recorder = recorderOf(installation, makingOf(settings));
  const post = new Post(installation, settings, kind);
  const pipeline = startPipeline({
    recorder, resource: resourceOf(settings, uuidOf(host.random.bytes(16))), destinations: outlets(settings, post), clock: host.clock, timers: host.timers, random: host.random,
    countDrops: post.countDrops, metricIntervalMs: settings.metrics.intervalMs, metricTimeoutMs: settings.metrics.exportTimeoutMs,
  });
  post.start();
  let ended: Promise<void> | undefined;
  return {
    tracer: recorder.tracer(scope), logger: recorder.logger(scope), isOn: true,
    measure: (metrics) => pipeline.measure({ scope, ...ownOf(metrics) }),
    end() {
      ended ??= pipeline.shutdown(lastWordsMs).then(() => post.end()).catch(() => undefined);
      return ended;
    },
  };
}

/** What only this process knows: the log is counted by the courier, and the account is its own. */
function ownOf(metrics: Measured): Measured {
  return {
    look: () => metrics.look(),
    *stores() {
      for (const store of metrics.stores()) if (!countedFromLog.has(store.identity.name) && !toldByAccount.has(store.identity.name)) yield store;
    },
  };
}

/** One for each way of counting: the first takes spans and log records as well, so that the pipeline makes each batch once. */
function outlets(settings: TelemetrySettings, post: Post): readonly Destination[] {
  const wanted = wantedSignals(settings);
  const [first = 'cumulative', ...others] = temporalitiesOf(settings);
  const outlet = (temporality: Temporality, signals: Destination['signals']): Destination => ({
    name: 'courier', temporality, signals, offer: (batch) => post.offer(batch, temporality), flush: () => Promise.resolve(true), close: () => Promise.resolve(),
  });
  return [outlet(first, allSignals.filter((signal) => wanted.includes(signal))), ...others.map((temporality) => outlet(temporality, ['metrics']))];
}

/** Where batches of this process go: to receivers while it is the courier, else to whoever is. */
class Post {
  readonly #installation: Installation;
  readonly #settings: TelemetrySettings;
  readonly #kind: string;
  readonly #timers: Set<Cancel> = new Set();
  #courier: OpenCourier | undefined;
  #trying: Promise<void> = Promise.resolve();
  #isEnding = false;
  /** By this process while it is not the courier: a note of each is a file, and there may be thousands a second. */
  #dropped: DropCounts = {};

  constructor(installation: Installation, settings: TelemetrySettings, kind: string) {
    [this.#installation, this.#settings, this.#kind] = [installation, settings, kind];
  }

  readonly countDrops = (...[signal, reason, items]: Parameters<OpenCourier['countDrops']>): void => {
    if (this.#courier === undefined) this.#dropped = withDrops(this.#dropped, signal, reason, items);
    else this.#courier.countDrops(signal, reason, items);
  };

  offer(batch: Batch, temporality: Temporality): void {
    if (this.#courier !== undefined) return this.#courier.offer(batch, temporality);
    handOver(handoverPlace(this.#installation), batch, temporality);
    this.#noteDropped();
  }

  /** Says what was dropped to whoever is the courier. */
  #noteDropped(): void {
    const dropped = dropRows(this.#dropped);
    this.#dropped = {};
    for (const [signal, reason, items] of dropped) {
      if (this.#courier === undefined) noteDrops(handoverPlace(this.#installation), signal, reason, items);
      else this.#courier.countDrops(signal, reason, items);
    }
  }

  start(): void {
    this.#try();
  }

  /** Tries to become the courier; later again where somebody else is, or where the lock cannot be had. */
  #try(): void {
    this.#trying = becomeCourier(this.#installation, this.#settings, this.#kind).catch(() => undefined).then((courier) => {
      if (courier === undefined) return this.#later(tryEveryMs, () => this.#try());
      this.#courier = courier;
      this.#noteDropped();
      if (!this.#isEnding) this.#serve(courier);
    });
  }

  #serve(courier: OpenCourier): void {
    courier.save(true);
    this.#every(sweepEveryMs, async () => {
      await courier.sweep();
      courier.save();
    });
    this.#every(this.#settings.metrics.intervalMs, () => courier.tellMetrics(true));
  }

  /** Again and again, never twice at once; the first time after a part of it by chance. */
  #every(milliseconds: number, work: () => Promise<void>): void {
    const turn = (): void => {
      void work().catch(() => undefined).then(() => this.#at(milliseconds, turn));
    };
    this.#later(milliseconds, turn);
  }

  /** After a time between half of it and all, so that processes that began together do not do it together. */
  #later(milliseconds: number, run: () => void): void {
    const [byte = 0] = this.#installation.host.random.bytes(1);
    this.#at(milliseconds * (0.5 + byte / 512), run);
  }

  #at(milliseconds: number, run: () => void): void {
    if (this.#isEnding) return;
    const timers: Timers = this.#installation.host.timers;
    const cancel = timers.after(milliseconds, () => {
      this.#timers.delete(cancel);
      if (!this.#isEnding) run();
    });
    this.#timers.add(cancel);
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    for (const cancel of this.#timers) cancel();
    await this.#trying;
    const courier = this.#courier;
    this.#noteDropped();
    if (courier === undefined) return leaveTelemetry(this.#installation);
    await courier.sweep();
    await courier.tellMetrics(true);
    await courier.close(lastWordsMs);
  }
}
