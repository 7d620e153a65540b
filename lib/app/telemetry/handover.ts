/**
 * Batches on their way from the process that made them to the courier: a file each, whose name says what is in it, so that neither who adds one nor
 * who looks opens any. Bounded in files and bytes; past the bound the oldest go, as everywhere in the spool, because what happened last is what
 * somebody will ask about. Trusts no name and no file in the folder. Nothing here throws.
 */
import type { Clock, Disk, Random } from '../../ports.ts';
import type { SpoolFiles } from '../../base/telemetry-ports.ts';
import { join } from '../../base/paths.ts';
import { signals, type Batch, type Destination, type DropReason, type Signal } from '../../telemetry/batch.ts';
import { readSpoolName, type SpoolName } from '../../telemetry/export/spool-name.ts';

export interface HandoverPlace {
  readonly files: SpoolFiles;
  readonly disk: Pick<Disk, 'list'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  /** LOKI_HOME. */
  readonly base: string;
  readonly folder: string;
}

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

export interface HandoverLimits {
  readonly files: number;
  readonly bytes: number;
}

/** A courier empties the folder every second or two; where none comes, this is some thousand tool calls. */
const handoverLimits: HandoverLimits = { files: 4096, bytes: 16 << 20 };

/** Within the name of a spool file, where that only wants a text that no other file has: how long the file is, and how its metrics are counted. */
const ownPart = /^\d{13}-[0-9a-f]{12}x(\d{1,9})([cdl]?)-/;
const temporalities: ReadonlyMap<string, Temporality> = new Map([['c', 'cumulative'], ['d', 'delta'], ['l', 'lowmemory']]);
const dropsName = /^\d{13}-[0-9a-f]{12}-(\d{1,15})\.(traces|metrics|logs)\.([a-z_]{1,20})\.dropped$/;
const reasons: readonly DropReason[] = ['queue_full', 'spool_full', 'rejected', 'refused', 'too_large', 'damaged', 'disk', 'shutdown'];

export function isDropReason(text: string | undefined): text is DropReason {
  return reasons.some((one) => one === text);
}

/** So many notes of drops are added up to one by whoever comes next. */
const mostNotes = 64;
/** What fits into a name. */
const mostNoted = 999_999_999_999_999;

/** Puts a batch in. What could not be put in, and what had to make room for it, is noted. */
export function handOver(place: HandoverPlace, batch: Batch, temporality: Temporality, limits: HandoverLimits = handoverLimits): void {
  const text = `${batch.body}\n`;
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.bytes) return noteDrops(place, batch.signal, 'too_large', batch.items);
  try {
    makeRoom(place, { files: limits.files - 1, bytes: limits.bytes - bytes });
    const letter = batch.signal === 'metrics' ? temporality.slice(0, 1) : '';
    place.files.write(place.base, join(place.folder, `${uniqueStart(place)}x${bytes}${letter}-${batch.items}.${batch.signal}.jsonl`), text);
  } catch {
    noteDrops(place, batch.signal, 'disk', batch.items);
  }
}

/** Notes drops for the courier to count. Where not even that can be written, nobody hears of them. */
export function noteDrops(place: HandoverPlace, signal: Signal, reason: DropReason, items: number): void {
  if (items <= 0) return;
  try {
    const notes = look(place).drops.filter((one) => one.signal === signal && one.reason === reason);
    const merged = notes.length < mostNotes ? [] : notes;
    // Two processes that add up at the same moment count the same notes twice: too many drops told, never too few.
    const sum = Math.min(merged.reduce((so, one) => so + one.items, items), mostNoted);
    place.files.write(place.base, join(place.folder, `${uniqueStart(place)}-${sum}.${signal}.${reason}.dropped`), '');
    for (const { name } of merged) place.files.remove(join(place.folder, name));
  } catch {
    return;
  }
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

/** Removed at once at most, so that a folder that somebody filled holds no hook up. */
const mostRemoved = 256;

/** Removes the oldest until no more than this is there. */
function makeRoom(place: HandoverPlace, limits: HandoverLimits): void {
  const names = place.disk.list(place.folder);
  if (names.length <= limits.files && bytesAtMost(names) <= limits.bytes) return;
  const { batches } = readNames(names);
  let [files, bytes] = [batches.length, batches.reduce((sum, one) => sum + one.bytes, 0)];
  const dropped = new Map<Signal, number>();
  for (const oldest of batches.slice(0, mostRemoved)) {
    if (files <= limits.files && bytes <= limits.bytes) break;
    place.files.remove(join(place.folder, oldest.name));
    [files, bytes] = [files - 1, bytes - oldest.bytes];
    dropped.set(oldest.signal, (dropped.get(oldest.signal) ?? 0) + oldest.items);
  }
  for (const [signal, items] of dropped) noteDrops(place, signal, 'spool_full', items);
}

/** Where a name says how long its file is (`ownPart`). */
const [bytesFrom, bytesTo] = [27, 36];

/** That of batches is as their names say, and never less. Who adds one must not wait until hundreds of names are taken apart. */
function bytesAtMost(names: readonly string[]): number {
  let sum = 0;
  for (const name of names) sum += Number.parseInt(name.slice(bytesFrom, bytesTo), 10) || 0;
  return sum;
}

/** Names sort by the time they were made at. */
function uniqueStart({ clock, random }: HandoverPlace): string {
  return `${String(Math.max(0, Math.floor(clock.now()))).padStart(13, '0').slice(0, 13)}-${Buffer.from(random.bytes(6)).toString('hex')}`;
}
