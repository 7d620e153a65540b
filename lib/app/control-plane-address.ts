/**
 * Where the control plane of this installation says that it listens, and which process it is. What is written down is believed
 * only of a process that lives and began when it says: a process id alone may be somebody else's by now.
 */
import { objectIn, type JsonObject } from '../base/json.ts';
import { join } from '../base/paths.ts';
import type { Installation } from './installation.ts';

/** Where a running control plane writes down its address, for the command line and the built-in rules. */
export function addressFile({ home }: Installation): string {
  return join(home.run, 'address');
}

/** Where it writes down which process it is, and what else `loki dashboard status` says of it. */
function processFile({ home }: Installation): string {
  return join(home.run, 'dashboard.json');
}

/** The address of the control plane that runs here, if one has written it down. */
export function runningAddress(installation: Installation): string | undefined {
  const bytes = installation.host.disk.readRecord(installation.home.home, addressFile(installation), 256);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8').trim();
}

/** What a control plane says of itself. */
export interface RunningFacts {
  readonly url: string;
  /** The path of its socket file. */
  readonly socket: string | null;
  readonly since: string;
  readonly version: string;
  /** Whether it can be reached from elsewhere without encryption. */
  readonly in_the_clear: boolean;
}

/** One that runs. */
export interface RunningProcess extends RunningFacts {
  readonly pid: number;
  /** As `ProcessFacts.startOf` tells it. */
  readonly start: string;
}

/** Writes both files. */
export function noteRunning(installation: Installation, running: RunningFacts): void {
  const { host: { disk, facts }, home: { home } } = installation;
  const document: JsonObject = { pid: facts.pid, start: facts.startOf(facts.pid) ?? null, ...running };
  disk.replace(home, processFile(installation), Buffer.from(`${JSON.stringify(document)}\n`), 0o600);
  disk.replace(home, addressFile(installation), Buffer.from(`${running.url}\n`), 0o600);
}

/** Takes both away, unless another one was started since and has written down where it is. */
export function forgetRunning(installation: Installation, url: string): void {
  const { host: { disk } } = installation;
  if (runningAddress(installation) !== url) return;
  disk.remove(addressFile(installation));
  disk.remove(processFile(installation));
}

/** The control plane that runs here; undefined when none has said so, or the one that did is gone. */
export function runningProcess(installation: Installation): RunningProcess | undefined {
  const { host: { disk, facts }, home: { home } } = installation;
  const bytes = disk.readRecord(home, processFile(installation), 4096);
  const { pid, start, url, socket, since, version, in_the_clear } = (bytes === undefined ? undefined : objectIn(bytes)) ?? {};
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1 || typeof start !== 'string' || facts.startOf(pid) !== start) return undefined;
  if (typeof url !== 'string' || typeof since !== 'string' || typeof version !== 'string') return undefined;
  return { pid, start, url, socket: typeof socket === 'string' ? socket : null, since, version, in_the_clear: in_the_clear === true };
}
