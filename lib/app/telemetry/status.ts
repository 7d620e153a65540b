/**
 * How telemetry stands: whether it is on and why, what waits on disk, how each receiver answers, who sends. From the configuration, the folders as they
 * are now, and the account of the courier, which is told with its age. Looks, asks nobody, writes nothing.
 */
import { join } from '../../base/paths.ts';
import type { SpoolFile } from '../../base/telemetry-ports.ts';
import { spoolDrivers } from '../../host/spool-files.ts';
import type { Signal } from '../../telemetry/batch.ts';
import { readSpoolName } from '../../telemetry/export/spool-name.ts';
import type { DestinationStand, SignalStand } from '../../telemetry/export/stand.ts';
import type { DestinationSettings } from '../../telemetry/settings.ts';
import type { Installation } from '../installation.ts';
import { readAccount, type Account, type DropCounts } from './account.ts';
import { readNames } from './handover-names.ts';
import { hasCourier, isSentByFiles } from './leave.ts';
import { accountPlace, handoverPlace } from './parts.ts';
import { telemetryPlaces } from './places.ts';
import { resolveTelemetry } from './settings.ts';

/** Files of a folder. Times are milliseconds since 1970. */
export interface Waiting {
  readonly files: number;
  readonly items: number;
  readonly bytes: number;
  readonly oldest: number | null;
}

/** As `SignalStand`, in the words of our results. */
export interface SignalStatus {
  readonly state: SignalStand['state'];
  readonly delivered: number;
  readonly dropped: SignalStand['dropped'];
  readonly last_success: SignalStand['lastSuccess'];
  readonly last_failure: SignalStand['lastFailure'];
  readonly last_warning: SignalStand['lastWarning'];
  readonly failures: number;
  readonly next_try: number | null;
}

export interface DestinationStatus {
  readonly name: string;
  /** `unknown`: no courier has told of it. */
  readonly state: DestinationStand['state'] | 'unknown';
  readonly signals: readonly string[];
  readonly temporality: string;
  readonly waiting: Waiting;
  /** Since the courier began. */
  readonly by_signal: { readonly [signal in Signal]?: SignalStatus };
  readonly disk: DestinationStand['disk'];
}

export interface TelemetryStatus {
  readonly on: boolean;
  readonly off_because: string | null;
  readonly problems: readonly string[];
  /** The process that sends; null where none lives. */
  readonly courier: { readonly kind: string; readonly pid: number; readonly since: number } | null;
  /** When the account was written; null where there is none. */
  readonly as_of: number | null;
  /** Whether a receiver stands in a configuration file: only then hooks leave somebody behind who sends. */
  readonly sent_by_files: boolean;
  readonly handed_over: Waiting;
  readonly destinations: readonly DestinationStatus[];
  /** Folders of receivers that are not configured any more. */
  readonly left_over: readonly (Waiting & { readonly folder: string })[];
  readonly taken_over: Account['takenOver'];
  readonly delivered: Account['delivered'];
  readonly dropped: DropCounts;
}

export function telemetryStatus(installation: Installation): TelemetryStatus {
  const { home } = installation;
  const settings = resolveTelemetry(installation);
  const account = readAccount(accountPlace(installation));
  const courier = hasCourier(installation) ? account?.courier : undefined;
  const own = new Map(spoolFolders(installation));
  return {
    on: settings.isOn, off_because: settings.offBecause ?? null, problems: settings.problems.map(({ message }) => message),
    courier: courier === undefined ? null : { kind: courier.kind, pid: courier.pid, since: courier.since }, as_of: account?.at ?? null, sent_by_files: isSentByFiles(installation),
    handed_over: handedOverNow(installation),
    destinations: settings.destinations.map((each) => destinationStatus(each, account, own.get(each.id) ?? noFiles)),
    left_over: [...own].filter(([id, { files }]) => files > 0 && !settings.destinations.some((each) => each.id === id)).map(([id, waiting]) => ({ folder: join(telemetryPlaces(home).folder, id), ...waiting })),
    taken_over: account?.takenOver ?? { batches: 0, items: 0 }, delivered: account?.delivered ?? {}, dropped: account?.dropped ?? {},
  };
}

const noFiles: Waiting = { files: 0, items: 0, bytes: 0, oldest: null };

function handedOverNow(installation: Installation): Waiting {
  const { files, folder } = handoverPlace(installation);
  const listed = files.list(folder);
  const { batches } = readNames(listed.map(({ name }) => name));
  const known = new Set(batches.map(({ name }) => name));
  return waitingIn(listed.filter(({ name }) => known.has(name)));
}

/** Each destination's folder, by its id. */
function spoolFolders({ host, home }: Installation): readonly (readonly [id: string, waiting: Waiting])[] {
  const { folder } = telemetryPlaces(home);
  const { spoolFiles } = spoolDrivers(host);
  return host.disk.list(folder).filter((id) => isSpoolFolder(id)).map((id) => [id, waitingIn(spoolFiles.list(join(folder, id)))]);
}

/** Ids of destinations as settings make them. */
export function isSpoolFolder(name: string): boolean {
  return /^(?:otlp|file)-[0-9a-f]{12}(?:-\d{1,4})?$/.test(name);
}

function waitingIn(files: readonly SpoolFile[]): Waiting {
  return files.reduce<Waiting>((sum, { name, size }) => {
    const told = readSpoolName(name);
    if (told === undefined) return sum;
    return { files: sum.files + 1, items: sum.items + told.items, bytes: sum.bytes + size, oldest: Math.min(sum.oldest ?? Infinity, told.madeMs) };
  }, noFiles);
}

function destinationStatus({ name, signals, temporality }: DestinationSettings, account: Account | undefined, waiting: Waiting): DestinationStatus {
  const stand = account?.destinations.find((each) => each.name === name);
  return { name, state: stand?.state ?? 'unknown', signals, temporality, waiting, by_signal: bySignal(stand), disk: stand?.disk ?? null };
}

function bySignal(stand: DestinationStand | undefined): DestinationStatus['by_signal'] {
  return Object.fromEntries(Object.entries(stand?.signals ?? {}).map(([signal, { state, delivered, dropped, lastSuccess, lastFailure, lastWarning, failures, nextTry }]) => (
    [signal, { state, delivered, dropped, last_success: lastSuccess, last_failure: lastFailure, last_warning: lastWarning, failures, next_try: nextTry }])));
}

/** The newest of what was tried, over all signals. */
export function newestOf({ by_signal }: Pick<DestinationStatus, 'by_signal'>, which: 'last_success' | 'last_failure' | 'last_warning'): SignalStatus['last_success'] {
  const all = Object.values(by_signal).flatMap((status) => status[which] ?? []);
  return all.toSorted((a, b) => b.at - a.at)[0] ?? null;
}
