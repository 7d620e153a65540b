/** Where everything lies on disk (contract section 1). Paths only; nothing here looks at the disk. */
import { LokiError } from '../errors.ts';
import { join } from '../base/paths.ts';

/** Files that bind everybody on this machine, read whenever they exist. */
export const organisationFiles = { config: '/etc/loki/config.yaml', policies: '/etc/loki/policies.yaml' } as const;

/** Paths below LOKI_HOME. */
export interface HomeLayout {
  readonly home: string;
  readonly config: string;
  /** The log of record and nothing else: log shippers watch the whole folder. */
  readonly audit: string;
  /** Checkpoints and hash tiles. */
  readonly tlog: string;
  /** Room kept back for the day the disk is full. */
  readonly reserve: string;
  /** Details too large for an entry. */
  readonly blobs: string;
  /** Torn tails kept aside. */
  readonly torn: string;
  /** Log files of another format found on first open. */
  readonly legacy: string;
  readonly store: string;
  /** Enrolments, one file a project. */
  readonly projects: string;
  /** Locks, the control plane's socket and local token. */
  readonly run: string;
  readonly socket: string;
  readonly localToken: string;
  readonly keys: string;
  /** Hashes of the tokens that hooks over HTTP show, one file a project. */
  readonly hookTokens: string;
  /** Keys of days and subjects, one file each. */
  readonly ring: string;
  /** Telemetry and deliveries waiting for their receiver. */
  readonly spool: string;
  /** Agents' settings as they were before hooks were put in or taken out. */
  readonly hookBackups: string;
  /** Enrolment file of a project. */
  project(id: string): string;
  /** Its policy as it was enrolled, kept for bringing it back. */
  projectPolicy(id: string): string;
}

/** The layout below an absolute LOKI_HOME. */
export function homeLayout(home: string): HomeLayout {
  const below = (...parts: readonly string[]): string => join(home, ...parts);
  return {
    home, config: below('config.yaml'),
    audit: below('dashboard/audit'), tlog: below('dashboard/tlog'), reserve: below('dashboard/reserve'), blobs: below('dashboard/blobs'),
    torn: below('dashboard/torn'), legacy: below('dashboard/legacy'), store: below('dashboard/store'),
    projects: below('projects'), run: below('run'), socket: below('run/loki.sock'), localToken: below('run/token'),
    keys: below('keys'), hookTokens: below('keys/hooks'), ring: below('keys/ring'), spool: below('spool'), hookBackups: below('backups/hooks'),
    project: (id) => below('projects', `${id}.json`), projectPolicy: (id) => below('projects', `${id}.policy`),
  };
}

/** Paths below a project's directory. */
export interface ProjectLayout {
  readonly dir: string;
  /** `.loki` itself. */
  readonly loki: string;
  readonly configFiles: readonly string[];
  readonly policyFiles: readonly string[];
  readonly gitignore: string;
  readonly logs: string;
  readonly agentAudit: string;
  readonly events: string;
  readonly eventsPending: string;
  readonly eventsArchive: string;
  readonly state: string;
  readonly runs: string;
  /** Folder of one run. */
  run(id: string): string;
}

const configNames = ['config.yaml', 'config.json'] as const;
const policyNames = ['policies.yaml', 'policies.yml', 'policies.json'] as const;

/** The layout below an absolute project directory. */
export function projectLayout(dir: string): ProjectLayout {
  const below = (...parts: readonly string[]): string => join(dir, '.loki', ...parts);
  return {
    dir, loki: below(),
    configFiles: configNames.map((name) => below(name)), policyFiles: policyNames.map((name) => below(name)),
    gitignore: below('.gitignore'), logs: below('logs'), agentAudit: below('logs/agent-audit.jsonl'),
    events: below('events'), eventsPending: below('events/pending'), eventsArchive: below('events/archive'),
    state: below('state'), runs: below('runs'),
    run: (id) => below('runs', id),
  };
}

/**
 * Which of the names in a `.loki` folder is its configuration; undefined when there is none. Two at once are an error, not
 * a precedence rule, so that one cannot shadow the other; a file that looks like one but is not read is an error too.
 */
export function chooseConfigFile(names: readonly string[]): string | undefined {
  const found = configNames.filter((name) => names.includes(name));
  if (found.length > 1) {
    throw new LokiError('config.invalid', {
      attempted: 'choose the configuration file', found: `there are ${found.join(' and ')}`, hint: 'Keep one of the two files',
    });
  }
  if (names.includes('config.yml')) {
    throw new LokiError('config.invalid', {
      attempted: 'choose the configuration file', found: 'config.yml is not read', hint: 'Rename it to config.yaml',
    });
  }
  return found[0];
}
