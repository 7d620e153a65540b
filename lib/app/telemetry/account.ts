/**
 * The courier's account: what was handed over, delivered and dropped since this installation has telemetry, and how each destination stood when the
 * courier last looked. A small file, replaced whole, written loosely: nothing rests on it but what people are told. Read with distrust: what
 * does not parse is as if it were not there.
 */
import type { Disk } from '../../ports.ts';
import { isCount, isPlainObject, objectIn } from '../../base/json.ts';
import type { LooseFiles } from '../../base/telemetry-ports.ts';
import { signals, type DropReason, type Signal } from '../../telemetry/batch.ts';
import type { DestinationStand } from '../../telemetry/export/stand.ts';
import { isDropReason } from './handover-names.ts';

export { signals, type Signal };

/** By signal and reason; what never was is left out. */
export type DropCounts = { readonly [signal in Signal]?: { readonly [reason in DropReason]?: number } };

/** Who is, or was last, the courier. */
export interface CourierFacts {
  readonly kind: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** When it ended in order; null while it runs, or when it died. */
  readonly ended: number | null;
}

export interface Account {
  /** When it was written: milliseconds since 1970. */
  readonly at: number;
  readonly courier: CourierFacts;
  /** Batches of other processes that couriers took over. */
  readonly takenOver: { readonly batches: number; readonly items: number };
  readonly delivered: { readonly [signal in Signal]?: number };
  readonly dropped: DropCounts;
  readonly destinations: readonly DestinationStand[];
}

const largestAccount = 256 << 10;

export interface AccountPlace {
  readonly disk: Pick<Disk, 'stat' | 'readRecord'>;
  readonly loose: LooseFiles;
  /** LOKI_HOME. */
  readonly base: string;
  readonly path: string;
}

/** Undefined where there is none, or none that can be read. Never throws. */
export function readAccount({ disk, base, path }: Omit<AccountPlace, 'loose'>): Account | undefined {
  try {
    if ((disk.stat(path)?.size ?? Infinity) > largestAccount) return undefined;
    const bytes = disk.readRecord(base, path, largestAccount);
    return bytes === undefined ? undefined : accountOf(objectIn(bytes));
  } catch {
    return undefined;
  }
}

/** Throws the system's error. */
export function writeAccount({ loose, base, path }: Pick<AccountPlace, 'loose' | 'base' | 'path'>, account: Account): void {
  loose.replace(base, path, `${JSON.stringify(account)}\n`);
}

function accountOf(value: Record<string, unknown> | undefined): Account | undefined {
  const { at, courier, takenOver, delivered, dropped, destinations } = value ?? {};
  if (!isCount(at) || !isCourier(courier)) return undefined;
  return {
    at, courier, takenOver: countsOf(takenOver, ['batches', 'items']), delivered: countsOf(delivered, signals), dropped: dropsOf(dropped),
    destinations: Array.isArray(destinations) ? destinations.filter(isStand) : [],
  };
}

function isCourier(value: unknown): value is CourierFacts {
  return isPlainObject(value) && typeof value['kind'] === 'string' && isCount(value['pid']) && isCount(value['since']) && (value['ended'] === null || isCount(value['ended']));
}

function countsOf<Name extends string>(value: unknown, names: readonly Name[]): { readonly [name in Name]: number } {
  const given = isPlainObject(value) ? value : {};
  return Object.fromEntries(names.map((name) => [name, isCount(given[name]) ? given[name] : 0])) as { [name in Name]: number };
}

function dropsOf(value: unknown): DropCounts {
  const drops: { [signal in Signal]?: { [reason in DropReason]?: number } } = {};
  for (const signal of signals) {
    const given = isPlainObject(value) ? value[signal] : undefined;
    if (!isPlainObject(given)) continue;
    for (const [reason, items] of Object.entries(given)) if (isDropReason(reason) && isCount(items)) (drops[signal] ??= {})[reason] = items;
  }
  return drops;
}

type Is = (value: unknown) => boolean;

const isOneOf = (...words: readonly string[]): Is => (value) => typeof value === 'string' && words.includes(value);
const isText: Is = (value) => typeof value === 'string';
const orNull = (is: Is): Is => (value) => value === null || is(value);
/** All of these members, whatever else there is. */
const isRecordOf = (members: { readonly [name: string]: Is }): Is => (value) => isPlainObject(value) && Object.entries(members).every(([name, is]) => is(value[name]));
const isMapOf = (isKey: Is, is: Is): Is => (value) => isPlainObject(value) && Object.entries(value).every(([key, each]) => isKey(key) && is(each));

const isState = isOneOf('direct', 'spooling');
const isTried = orNull(isRecordOf({ at: isCount, words: isText }));
const isSignalStand = isRecordOf({
  state: isState, delivered: isCount, dropped: isMapOf((reason) => typeof reason === 'string' && isDropReason(reason), isCount),
  lastSuccess: isTried, lastFailure: isTried, lastWarning: isTried, failures: isCount, nextTry: orNull(isCount),
});
const isWholeStand = isRecordOf({
  name: isText, kind: isOneOf('otlp', 'file'), state: isState, signals: isMapOf(isOneOf(...signals), isSignalStand), disk: isTried,
  waiting: isRecordOf({ items: isCount, files: isCount, fileBytes: isCount, batches: isCount, batchBytes: isCount, oldest: orNull(isCount) }),
});

/** What a courier of ours wrote. One that another version has differently is not shown. */
function isStand(value: unknown): value is DestinationStand {
  return isWholeStand(value);
}

/** Adds one drop to counts. */
export function withDrops(counts: DropCounts, signal: Signal, reason: DropReason, items: number): DropCounts {
  return { ...counts, [signal]: { ...counts[signal], [reason]: (counts[signal]?.[reason] ?? 0) + items } };
}

/** All of them, one row each. */
export function dropRows(counts: DropCounts): readonly (readonly [signal: Signal, reason: DropReason, items: number])[] {
  return signals.flatMap((signal) => Object.entries(counts[signal] ?? {}).flatMap(([reason, items]) => (isDropReason(reason) && items > 0 ? [[signal, reason, items] as const] : [])));
}
