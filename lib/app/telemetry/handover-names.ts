/**
 * What lies in the folder of what was handed over, as names tell it. Nothing is opened, and no name is trusted: what is none of ours is not told.
 * Apart from what writes them, because a hook that adds a file seldom has to know what else is there.
 */
import { signals, type Destination, type DropReason, type Signal } from '../../telemetry/batch.ts';
import { readSpoolName, type SpoolName } from '../../telemetry/export/spool-name.ts';
import type { HandoverPlace } from './handover.ts';

export type Temporality = Destination['temporality'];

/** A batch in the folder, as its name tells it. */
export interface HandedOver extends SpoolName {
  readonly name: string;
  readonly bytes: number;
  /** How its metrics are counted; undefined for other signals. */
  readonly temporality: Temporality | undefined;
}

/** Drops that a process had no other way to tell of, as a name tells them; the file is empty. */
export interface HandedDrops {
  readonly name: string;
  readonly signal: Signal;
  readonly reason: DropReason;
  readonly items: number;
}

/** Within the name of a spool file, where that only wants a text that no other file has: how long the file is, and how its metrics are counted. */
const ownPart = /^\d{13}-[0-9a-f]{12}x(\d{1,9})([cdl]?)-/;
const temporalities: ReadonlyMap<string, Temporality> = new Map([['c', 'cumulative'], ['d', 'delta'], ['l', 'lowmemory']]);
const dropsName = /^\d{13}-[0-9a-f]{12}-(\d{1,15})\.(traces|metrics|logs)\.([a-z_]{1,20})\.dropped$/;
const reasons: readonly DropReason[] = ['queue_full', 'spool_full', 'rejected', 'refused', 'too_large', 'damaged', 'disk', 'shutdown'];

export function isDropReason(text: string | undefined): text is DropReason {
  return reasons.some((one) => one === text);
}

/** What lies in the folder, the oldest first. Costs one look at the folder, whatever is in it. */
export function look({ disk, folder }: Pick<HandoverPlace, 'disk' | 'folder'>): InHandover {
  return readNames(disk.list(folder));
}

export interface InHandover {
  readonly batches: readonly HandedOver[];
  readonly drops: readonly HandedDrops[];
}

/** What names say. Those that are none of ours are not told. */
export function readNames(names: readonly string[]): InHandover {
  const batches: HandedOver[] = [];
  const drops: HandedDrops[] = [];
  for (const name of names) {
    const batch = batchOf(name);
    if (batch !== undefined) batches.push(batch);
    const dropped = batch === undefined ? dropsOf(name) : undefined;
    if (dropped !== undefined) drops.push(dropped);
  }
  return { batches, drops };
}

function batchOf(name: string): HandedOver | undefined {
  const told = readSpoolName(name);
  const [, bytes, letter = ''] = ownPart.exec(name) ?? [];
  return told === undefined || bytes === undefined ? undefined : { ...told, name, bytes: Number(bytes), temporality: temporalities.get(letter) };
}

function dropsOf(name: string): HandedDrops | undefined {
  const [, items, signalName, reasonName] = dropsName.exec(name) ?? [];
  const signal = signals.find((one) => one === signalName);
  const reason = reasons.find((one) => one === reasonName);
  return signal === undefined || reason === undefined ? undefined : { name, signal, reason, items: Number(items) };
}
