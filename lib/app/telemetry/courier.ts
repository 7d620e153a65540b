/**
 * The one process of an installation that speaks to receivers: gives its own batches to every destination, takes over what the others handed over on
 * disk, and keeps the account. What it takes over lies on disk until every destination has it as its own, so a courier that dies loses
 * nothing of it; one that dies between two destinations makes the next give it to the first again, unless that still has it. Nothing here throws.
 */
import type { Clock, ProcessFacts, Timers } from '../../ports.ts';
import { join } from '../../base/paths.ts';
import type { SpoolFile } from '../../base/telemetry-ports.ts';
import { signals, type Batch, type CountDrops, type Signal } from '../../telemetry/batch.ts';
import type { StandingDestination } from '../../telemetry/export/options.ts';
import { readAccount, withDrops, writeAccount, type Account, type AccountPlace, type DropCounts } from './account.ts';
import { readNames, type HandedOver, type Temporality } from './handover-names.ts';
import type { HandoverPlace } from './handover.ts';

export interface CourierParts {
  readonly kind: string;
  readonly place: HandoverPlace;
  readonly account: AccountPlace;
  readonly clock: Clock;
  readonly timers: Pick<Timers, 'yield'>;
  readonly facts: Pick<ProcessFacts, 'pid'>;
  /** Makes the destinations, which tell the courier of drops. */
  readonly destinations: (countDrops: CountDrops) => readonly StandingDestination[];
}

export interface Courier {
  readonly destinations: readonly StandingDestination[];
  readonly countDrops: CountDrops;
  /** To every destination that wants it. */
  offer(batch: Batch, temporality: Temporality): void;
  /** Takes over what lies there; how many batches that were. */
  sweep(): Promise<number>;
  /** Writes the account where it has changed; at once with `now`, else not more often than every few seconds. */
  save(now?: boolean): void;
  /** The account as it stands in memory. */
  read(): Account;
  /** Delivers what it can in that time; the rest is on disk afterwards, where there is a disk. */
  close(deadlineMs: number): Promise<void>;
}

const saveEveryMs = 3_000;
/** Files that are taken over before others have their turn. */
const aTurn = 50;

export function createCourier(parts: CourierParts): Courier {
  return new OneCourier(parts);
}

class OneCourier implements Courier {
  readonly #parts: CourierParts;
  readonly #before: Account | undefined;
  readonly #since: number;
  readonly destinations: readonly StandingDestination[];
  /** Who has a file already that another destination could not take yet. */
  readonly #partly = new Map<string, Set<StandingDestination>>();
  /** Notes of drops that are counted, and go once the account is on disk. */
  readonly #counted = new Set<string>();
  #dropped: DropCounts;
  #takenOver: { readonly batches: number; readonly items: number };
  #ended: number | null = null;
  #saved = '';
  #savedAt = -Infinity;
  #sweeping: Promise<number> | undefined;

  constructor(parts: CourierParts) {
    this.#parts = parts;
    this.#before = readAccount(parts.account);
    this.#since = parts.clock.now();
    this.#dropped = this.#before?.dropped ?? {};
    this.#takenOver = this.#before?.takenOver ?? { batches: 0, items: 0 };
    this.destinations = parts.destinations(this.countDrops);
  }

  readonly countDrops: CountDrops = (signal, reason, items) => {
    if (items > 0) this.#dropped = withDrops(this.#dropped, signal, reason, items);
  };

  offer(batch: Batch, temporality: Temporality): void {
    for (const destination of this.destinations) if (wants(destination, batch.signal, temporality)) destination.offer(batch);
  }

  sweep(): Promise<number> {
    this.#sweeping ??= this.#takeOver().catch(() => 0).finally(() => { this.#sweeping = undefined; });
    return this.#sweeping;
  }

  async #takeOver(): Promise<number> {
    const { place: { files, folder }, timers } = this.#parts;
    const listed = new Map(files.list(folder).map((file) => [file.name, file]));
    for (const name of this.#partly.keys()) if (!listed.has(name)) this.#partly.delete(name);
    const { batches, drops } = readNames([...listed.keys()]);
    for (const { name, signal, reason, items } of drops) {
      if (this.#counted.has(name)) continue;
      this.countDrops(signal, reason, items);
      this.#counted.add(name);
    }
    let taken = 0;
    for (const batch of batches) {
      // Who cannot take one now cannot take the next either, and would get them out of order.
      const file = listed.get(batch.name);
      if (file !== undefined && !this.#adopt(batch, file)) break;
      taken += 1;
      if (taken % aTurn === 0) await timers.yield();
    }
    return taken;
  }

  /** True when every destination that wants it has it; only then the file goes. */
  #adopt({ name, signal, temporality, items }: HandedOver, file: SpoolFile): boolean {
    const { place: { files, folder } } = this.#parts;
    const have = this.#partly.get(name) ?? new Set<StandingDestination>();
    for (const destination of this.destinations) {
      if (have.has(destination) || !wants(destination, signal, temporality)) continue;
      if (destination.adopt(folder, file)) have.add(destination);
      else {
        this.#partly.set(name, have);
        return false;
      }
    }
    files.remove(join(folder, name));
    this.#partly.delete(name);
    this.#takenOver = { batches: this.#takenOver.batches + 1, items: this.#takenOver.items + items };
    return true;
  }

  read(): Account {
    const { clock, kind, facts } = this.#parts;
    const stands = this.destinations.map((destination) => destination.stand());
    const delivered = Object.fromEntries(signals.map((signal) => {
      const now = stands.reduce((sum, stand) => sum + (stand.signals[signal]?.delivered ?? 0), 0);
      return [signal, (this.#before?.delivered[signal] ?? 0) + now];
    }));
    return {
      at: clock.now(), courier: { kind, pid: facts.pid, since: this.#since, ended: this.#ended },
      takenOver: this.#takenOver, delivered, dropped: this.#dropped, destinations: stands,
    };
  }

  save(now = false): void {
    const { account, clock, place } = this.#parts;
    if (!now && clock.monotonic() - this.#savedAt < saveEveryMs) return;
    try {
      const told = this.read();
      const text = JSON.stringify({ ...told, at: 0 });
      if (text !== this.#saved) writeAccount(account, told);
      [this.#saved, this.#savedAt] = [text, clock.monotonic()];
      for (const name of this.#counted) place.files.remove(join(place.folder, name));
      this.#counted.clear();
    } catch {
      // It is told as it stands by whoever asks this process; the file has its time again.
      this.#savedAt = clock.monotonic();
    }
  }

  async close(deadlineMs: number): Promise<void> {
    await Promise.all(this.destinations.map((destination) => destination.close(deadlineMs).catch(() => undefined)));
    this.#ended = this.#parts.clock.now();
    this.save(true);
  }
}

function wants(destination: StandingDestination, signal: Signal, temporality: Temporality | undefined): boolean {
  return destination.signals.includes(signal) && (signal !== 'metrics' || temporality === undefined || destination.temporality === temporality);
}
