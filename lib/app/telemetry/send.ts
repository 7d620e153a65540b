/** What `loki telemetry send` does: is the courier for a while, where nobody else is, and says what came of it. */
import { signals } from '../../telemetry/batch.ts';
import type { DestinationStand } from '../../telemetry/export/stand.ts';
import type { TelemetrySettings } from '../../telemetry/settings.ts';
import { prepareHome, type Installation } from '../installation.ts';
import type { DropCounts } from './account.ts';
import { becomeCourier, type OpenCourier } from './open-courier.ts';

export interface SendOptions {
  /** How long further batches are waited for. */
  readonly lingerMs: number;
  /** How long receivers are, after that. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export interface SentTo {
  readonly destination: string;
  readonly delivered: number;
  /** Items that wait for another attempt. */
  readonly waiting: number;
  /** What the receiver last said, where something waits or was refused; null where nothing is wrong. */
  readonly why: string | null;
}

export interface SendReport {
  /** Batches that other processes had handed over. */
  readonly taken_over: number;
  readonly destinations: readonly SentTo[];
  /** In this call. */
  readonly dropped: DropCounts;
  /** Destinations that could not be tried. */
  readonly problems: readonly string[];
}

const lookEveryMs = 500;
const lastWordsMs = 2_000;

/** Undefined where another process sends. */
export async function sendOnce(installation: Installation, settings: TelemetrySettings, options: SendOptions): Promise<SendReport | undefined> {
  prepareHome(installation);
  const courier = await becomeCourier(installation, settings, 'sender');
  if (courier === undefined) return undefined;
  const before = courier.read().dropped;
  try {
    let taken = await courier.sweep();
    taken += await linger(installation, courier, options);
    await courier.tellMetrics(false);
    await flushed(courier, options);
    // Whoever handed over meanwhile saw somebody who sends, and left nobody behind.
    const late = await courier.sweep();
    if (late > 0) await flushed(courier, { ...options, deadlineMs: Math.min(options.deadlineMs, lastWordsMs) });
    taken += late;
    return reportOf(courier, taken, before);
  } finally {
    await courier.close(lastWordsMs);
  }
}

/** Takes over what is handed over meanwhile; how much that was. */
async function linger({ host: { clock, timers } }: Installation, courier: OpenCourier, { lingerMs, signal }: SendOptions): Promise<number> {
  let taken = 0;
  for (const end = clock.monotonic() + lingerMs; clock.monotonic() < end && !signal.aborted;) {
    await timers.sleep(Math.min(lookEveryMs, lingerMs));
    taken += await courier.sweep();
    courier.save();
  }
  return taken;
}

function flushed(courier: OpenCourier, { deadlineMs, signal }: SendOptions): Promise<unknown> {
  const interrupted = new Promise((resolve) => { signal.addEventListener('abort', resolve, { once: true }); });
  const all = Promise.all(courier.destinations.map((destination) => destination.flush(deadlineMs)));
  return signal.aborted ? Promise.resolve() : Promise.race([all, interrupted]);
}

function reportOf(courier: OpenCourier, taken: number, before: DropCounts): SendReport {
  const { destinations, dropped } = courier.read();
  const news = Object.fromEntries(signals.map((signal) => [signal, Object.fromEntries(Object.entries(dropped[signal] ?? {}).map(([reason, items]) => [reason, items - (new Map(Object.entries(before[signal] ?? {})).get(reason) ?? 0)]).filter(([, items]) => items !== 0))]));
  return { taken_over: taken, destinations: destinations.map(sentTo), dropped: news, problems: courier.problems.map(({ message }) => message) };
}

function sentTo(stand: DestinationStand): SentTo {
  const each = Object.values(stand.signals);
  const failure = each.map(({ lastFailure }) => lastFailure).filter((one) => one !== null).toSorted((a, b) => b.at - a.at)[0];
  return { destination: stand.name, delivered: each.reduce((sum, { delivered }) => sum + delivered, 0), waiting: stand.waiting.items, why: stand.disk?.words ?? failure?.words ?? null };
}

