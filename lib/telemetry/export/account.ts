/** What became of what was offered, since this process began: by signal, and by reason where it was dropped. */
import { signals, type CountDrops, type DropReason, type Signal } from '../batch.ts';

export interface Account {
  delivered(signal: Signal, items: number): void;
  /** Counted here, and told to whoever adds it up. */
  dropped(signal: Signal, reason: DropReason, items: number): void;
  of(signal: Signal): { readonly delivered: number; readonly dropped: { readonly [reason in DropReason]?: number } };
}

export function createAccount(countDrops: CountDrops): Account {
  const delivered = new Map<Signal, number>(signals.map((signal) => [signal, 0]));
  const dropped = new Map<Signal, { [reason in DropReason]?: number }>(signals.map((signal) => [signal, {}]));
  return {
    delivered(signal, items) { delivered.set(signal, (delivered.get(signal) ?? 0) + items); },
    dropped(signal, reason, items) {
      if (items <= 0) return;
      const counts = dropped.get(signal) ?? {};
      counts[reason] = (counts[reason] ?? 0) + items;
      try {
        countDrops(signal, reason, items);
      } catch {
        // Counting elsewhere must not end what counts here.
      }
    },
    of: (signal) => ({ delivered: delivered.get(signal) ?? 0, dropped: { ...dropped.get(signal) } }),
  };
}
