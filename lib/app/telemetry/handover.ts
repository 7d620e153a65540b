/**
 * Batches on their way from the process that made them to the courier: a file each, whose name says what is in it, so that neither who adds one nor
 * who looks opens any. Bounded in files and bytes; past the bound the oldest go, as everywhere in the spool, because what happened last is what
 * somebody will ask about. Trusts no name and no file in the folder. Nothing here throws.
 */
import type { Clock, Disk, Random } from '../../ports.ts';
import type { SpoolFiles } from '../../base/telemetry-ports.ts';
import { join } from '../../base/paths.ts';
import type { Batch, DropReason, Signal } from '../../telemetry/batch.ts';
import { look, readNames, type Temporality } from './handover-names.ts';

export interface HandoverPlace {
  readonly files: SpoolFiles;
  readonly disk: Pick<Disk, 'list'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  /** LOKI_HOME. */
  readonly base: string;
  readonly folder: string;
}

export interface HandoverLimits {
  readonly files: number;
  readonly bytes: number;
}

/** A courier empties the folder every second or two; where none comes, this is some thousand tool calls. */
const handoverLimits: HandoverLimits = { files: 4096, bytes: 16 << 20 };

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

/** Where a name says how long its file is (`handover-names.ts`). */
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
