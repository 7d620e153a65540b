/**
 * What the doctor looks at: the installation as far as it can be opened, and the newest part of the log, read once for all
 * checks. Looking never fails: what cannot be opened or read is itself something to tell.
 */
import { LokiError, messageOf } from '../../errors.ts';
import { homeLayout } from '../../config/layout.ts';
import { lokiHome, resolveConfig } from '../../config/resolve.ts';
import { createHost } from '../../host/host.ts';
import { openLogFile, readableFiles } from '../../audit/log-file.ts';
import { searchLog, type LoggedEntry } from '../../audit/query.ts';
import { openInstallation, type Installation, type InstallationOptions, type Surroundings } from '../installation.ts';

/** What the newest entries tell. */
export interface RecentLog {
  /** Entries that were looked at. */
  readonly looked: number;
  /** Whether that was the whole log. */
  readonly whole: boolean;
  readonly newest: LoggedEntry | undefined;
  /** By event: how many, and the newest of them. */
  readonly events: ReadonlyMap<string, { readonly count: number; readonly newest: LoggedEntry }>;
  /** Why reading ended early. */
  readonly failure: string | undefined;
}

export interface Scene {
  readonly installation: Installation;
  /** Why the configuration cannot be used; the installation then stands on defaults as far as needed. */
  readonly problem: LokiError | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Somebody named the area that is looked at: then a check may ask others over the network. */
  readonly named: boolean;
  recent(): RecentLog;
}

/** No check reads more of the log than this, so that an answer comes within seconds whatever its size. */
const mostEntries = 20_000;
const longestReadMs = 3000;

export function lookAround(surroundings: Surroundings, options: InstallationOptions, named: boolean = false): Scene {
  const { installation, problem } = openAsFarAsPossible(surroundings, options);
  let recent: RecentLog | undefined;
  return {
    installation, problem, named, now: installation.host.clock.now(),
    recent: () => (recent ??= readRecent(installation)),
  };
}

/** With everything; else without the project's file; else with defaults alone. */
function openAsFarAsPossible(surroundings: Surroundings, options: InstallationOptions): Pick<Scene, 'installation' | 'problem'> {
  let problem: LokiError | undefined;
  for (const withoutProjectFile of [false, true]) {
    try {
      return { installation: openInstallation(surroundings, { ...options, withoutProjectFile }), problem };
    } catch (error) {
      problem ??= asLokiError(error);
    }
  }
  return { installation: openBare(surroundings), problem };
}

function asLokiError(error: unknown): LokiError {
  return error instanceof LokiError ? error : new LokiError('internal', { attempted: 'open the installation', found: messageOf(error), cause: error });
}

/** LOKI_HOME alone, under the settings that nobody changed. */
function openBare(surroundings: Surroundings): Installation {
  const at = { path: `${surroundings.homeDirectory}/.loki` };
  const host = createHost(() => at.path);
  try {
    at.path = lokiHome(surroundings.env, { homeDir: surroundings.homeDirectory });
    at.path = host.disk.realpath(at.path) ?? at.path;
  } catch {
    // A LOKI_HOME that cannot be used is told as the configuration's problem.
  }
  const config = resolveConfig({ env: {}, files: [], facts: { hostname: host.facts.hostname, homeDir: surroundings.homeDirectory } });
  return { surroundings, host, home: homeLayout(at.path), config, project: undefined, layout: undefined };
}

function readRecent({ host: { disk, clock }, home }: Installation): RecentLog {
  const events = new Map<string, { count: number; newest: LoggedEntry }>();
  const until = clock.monotonic() + longestReadMs;
  let [looked, whole] = [0, true];
  let newest: LoggedEntry | undefined;
  let failure: string | undefined;
  try {
    for (const entry of searchLog(disk, home.audit, {})) {
      if (looked >= mostEntries || clock.monotonic() > until) {
        whole = false;
        break;
      }
      if (entry === undefined) continue;
      looked += 1;
      newest ??= entry;
      const known = events.get(entry.event);
      if (known === undefined) events.set(entry.event, { count: 1, newest: entry });
      else known.count += 1;
    }
  } catch (error) {
    [failure, whole] = [messageOf(error), false];
  }
  return { looked, whole, newest, events, failure };
}

/** Longer than any entry. */
const firstLineBytes = 65_536;

/** The `seq` that the log's first line carries, and the file it stands in; undefined without a readable line. */
export function firstSeq({ installation: { host: { disk }, home } }: Scene): { readonly seq: number; readonly file: string } | undefined {
  for (const { name } of readableFiles(disk, home.audit)) {
    const file = openLogFile(disk, home.audit, name);
    if (file === undefined) continue;
    try {
      const seq = /^\{"seq":(\d{1,16}),/.exec(Buffer.from(file.read(0, firstLineBytes)).toString('latin1'))?.[1];
      if (seq !== undefined) return { seq: Number(seq), file: name };
    } finally {
      file.close();
    }
  }
  return undefined;
}
