/**
 * Metrics counted from the log of record for OTLP, by the courier: every entry once in an installation, whichever process is the courier. What was
 * counted is kept beside how far, so that one series goes on over processes that live for seconds; where that file is lost, or was written by a clock
 * that has been set back since, a new series begins: no receiver takes a series whose time has come before. Entries of more than a day ago are passed over: while telemetry was off, nobody counted, and a receiver would take them for today's.
 */
import type { Clock, Disk, Random, Timers } from '../../ports.ts';
import type { LooseFiles } from '../../base/telemetry-ports.ts';
import type { MetricFamily } from '../../base/metric.ts';
import { isCount, isPlainObject, objectIn } from '../../base/json.ts';
import { parsePosition, type Position } from '../../audit/forward/cursor.ts';
import { endPosition, firstPosition, readOn } from '../../audit/forward/reader.ts';
import { createMetrics, metricTable } from '../../telemetry/metrics.ts';
import { conventionMetrics } from '../../telemetry/metric-names.ts';
import { createRegistry } from '../../telemetry/registry.ts';
import { countedFromLog, createLogCounts } from '../metrics/log-counts.ts';
import { addFamilies, subtractFamilies } from './families.ts';
import { uuidOf } from './parts.ts';

export interface CountedPlace {
  readonly disk: Disk;
  readonly loose: LooseFiles;
  readonly clock: Pick<Clock, 'now'>;
  readonly timers: Pick<Timers, 'yield'>;
  readonly random: Random;
  /** LOKI_HOME. */
  readonly base: string;
  readonly path: string;
  /** The folder of the log of record. */
  readonly log: string;
  /** A new series counts entries from then on, of the newest file: those of the processes that handed over before there was a courier. Now, when left out. */
  readonly newFrom?: number;
}

/** What was told, and when. */
export interface Counted {
  /** Names the series: a new one begins where the file was lost. A UUID. */
  readonly instance: string;
  /** Since when it is counted: milliseconds since 1970. */
  readonly since: number;
  /** When it was last told. */
  readonly at: number;
  readonly families: readonly MetricFamily[];
}

export interface CountedLog {
  /** What was told last, by whichever process. */
  readonly told: Counted;
  /** Counts what was added to the log. True when something was. */
  look(): Promise<boolean>;
  /** Everything as it stands after the last look, and beside it what is known as it stands: those replace what was told of them before. May begin a new series: `told` is to be asked after it. */
  read(beside?: readonly MetricFamily[]): Counted;
  /** What `read` gave last has been told: from here the next process goes on. Never throws. */
  keep(): void;
}

const largestFile = 1 << 20;
/** A look that would take longer goes on with the next one. */
const looked = { atOnce: 64 << 20, aTurn: { lines: 2000, bytes: 1 << 18 } };
const oldestMs = 24 * 3_600_000;
/** A clock that was set back by less is waited for: the series stands still meanwhile. */
const setBackMs = 60_000;
const stamp = /^\{"seq":\d{1,16},"timestamp":"([^"]{24})"/;
const headLength = 80;

interface Kept extends Counted {
  readonly position: Position;
}

export function openCountedLog(place: CountedPlace): CountedLog {
  const { clock, random } = place;
  const kept = readKept(place);
  const started = clock.now();
  const fromThen = kept === undefined ? Math.max(place.newFrom ?? started, started - oldestMs) : started;
  // From the end on, everything counts that comes.
  const newFrom = kept === undefined && fromThen < started ? fromThen : 0;
  const anew = (since: number, position: Position): Kept => ({ instance: uuidOf(random.bytes(16)), since, at: since, families: [], position });
  const [metrics, usage] = [createMetrics(), createRegistry(conventionMetrics)];
  const count = createLogCounts(metrics, usage);
  let begun: Kept = kept ?? anew(fromThen, newFrom > 0 ? firstPosition(place.disk, place.log) : endPosition(place.disk, place.log));
  let position = begun.position;
  let told: Counted = begun;
  let newest: Kept = begun;
  /** Counted by this process: what belongs to an earlier series, what was told, what was read last. */
  let own: { readonly [which in 'earlier' | 'told' | 'newest']: readonly MetricFamily[] } = { earlier: [], told: [], newest: [] };

  function read(beside: readonly MetricFamily[] = []): Counted {
    const now = clock.now();
    if (told.at - now > setBackMs) {
      told = begun = anew(now, position);
      own = { ...own, earlier: own.told };
    }
    const counted = [...metrics.read().filter(({ name }) => countedFromLog.has(name)), ...usage.read()].filter(({ points }) => points.length > 0);
    own = { ...own, newest: counted };
    const names = new Set(beside.map(({ name }) => name));
    const families = addFamilies(begun.families, subtractFamilies(counted, own.earlier)).filter(({ name }) => !names.has(name));
    newest = { instance: begun.instance, since: begun.since, at: Math.max(told.at, now), families: [...families, ...beside], position };
    return newest;
  }

  return {
    get told() { return told; },
    async look() {
      const from = position;
      for (let bytes = 0; bytes < looked.atOnce;) {
        const { lines, positions } = readOn(place.disk, place.log, position, looked.aTurn);
        for (const line of lines) if (!isBefore(line.bytes, Math.max(newFrom, clock.now() - oldestMs))) count(line.bytes);
        position = positions.at(-1) ?? position;
        if (lines.length === 0) break;
        bytes += lines.reduce((sum, { length }) => sum + length, 0);
        await place.timers.yield();
      }
      return position !== from;
    },
    read,
    keep() {
      told = newest;
      own = { ...own, told: own.newest };
      try {
        place.loose.replace(place.base, place.path, `${JSON.stringify(newest)}\n`);
      } catch {
        // The next process counts these again: told twice is better than not told, and the disk is somebody's to mend.
      }
    },
  };
}

function isBefore(line: Buffer, moment: number): boolean {
  const [, time = ''] = stamp.exec(line.toString('latin1', 0, headLength)) ?? [];
  return Date.parse(time) < moment;
}

function readKept({ disk, base, path }: CountedPlace): Kept | undefined {
  try {
    if ((disk.stat(path)?.size ?? Infinity) > largestFile) return undefined;
    const bytes = disk.readRecord(base, path, largestFile);
    const value = bytes === undefined ? undefined : objectIn(bytes);
    const { instance, since, at, families, position } = value ?? {};
    const found = isPlainObject(position) ? parsePosition(position) : undefined;
    if (typeof instance !== 'string' || !/^[0-9a-f-]{36}$/.test(instance) || !isCount(since) || !isCount(at) || !Array.isArray(families) || found === undefined) return undefined;
    return { instance, since, at, position: found, families: families.filter(isFamily) };
  } catch {
    return undefined;
  }
}

/** Of a metric that this version knows, with the labels, kind and bounds that it has here. */
function isFamily(value: unknown): value is MetricFamily {
  if (!isPlainObject(value) || typeof value['name'] !== 'string' || typeof value['help'] !== 'string' || !Array.isArray(value['points'])) return false;
  const definition = definitions.get(value['name']);
  if (definition === undefined || definition.kind !== value['kind']) return false;
  if (definition.kind !== 'histogram') return value['points'].every((point) => isPoint(point) && typeof point['value'] === 'number');
  const buckets = (definition.bounds ?? []).length + 1;
  return JSON.stringify(value['bounds']) === JSON.stringify(definition.bounds) && value['points'].every((point) => isPoint(point) && typeof point['sum'] === 'number' && isCount(point['count'])
    && Array.isArray(point['counts']) && point['counts'].length === buckets && point['counts'].every(isCount));
}

const definitions: ReadonlyMap<string, (typeof metricTable)[string]> = new Map([...Object.entries(metricTable), ...Object.entries(conventionMetrics)]);

function isPoint(value: unknown): value is Record<string, unknown> {
  return isPlainObject(value) && typeof value['overflow'] === 'boolean' && Array.isArray(value['labels'])
    && value['labels'].every((label) => Array.isArray(label) && label.length === 2 && label.every((text) => typeof text === 'string'));
}
