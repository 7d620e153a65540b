/**
 * Where this program runs: LOKI_HOME, its configuration, the project at hand. Every command begins here. Reading is all it
 * does, until something is to be recorded: then LOKI_HOME is made, private to its owner.
 */
import { LokiError } from '../errors.ts';
import type { Disk, Host } from '../ports.ts';
import { createHost } from '../host/host.ts';
import { basename, dirname, join, resolveFrom } from '../base/paths.ts';
import type { Config } from '../config/config.ts';
import type { ConfigFile } from '../config/document.ts';
import { chooseConfigFile, homeLayout, organisationFiles, projectLayout, type HomeLayout, type ProjectLayout } from '../config/layout.ts';
import { lokiHome, resolveConfig } from '../config/resolve.ts';
import { eventNames } from '../audit/events.ts';
import { findProject, projectAt, type Project } from '../gate/project.ts';
import { lookingDisk } from './looking.ts';

/** What the process was started with. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly homeDirectory: string;
}

/** What a command line adds. */
export interface InstallationOptions {
  /** `--project`. */
  readonly project?: string;
  /** Flags that stand for settings, by their name with dashes. */
  readonly flags?: ReadonlyMap<string, string>;
  /** For looking at records: the project's own file is left aside, so that a repository cannot keep anybody from looking. */
  readonly withoutProjectFile?: boolean;
}

export interface Installation {
  readonly surroundings: Surroundings;
  readonly host: Host;
  readonly home: HomeLayout;
  readonly config: Config;
  /** The project at hand, if there is one. */
  readonly project: Project | undefined;
  readonly layout: ProjectLayout | undefined;
}

/** Configuration files are read up to this size. */
const largestConfigFile = 1 << 20;

/** Finds LOKI_HOME and the project, and resolves the configuration. Throws `config.invalid` with every mistake. */
export function openInstallation(surroundings: Surroundings, options: InstallationOptions = {}): Installation {
  const machine = { homeDir: surroundings.homeDirectory };
  const wanted = resolveFrom(workingDirectory(surroundings), lokiHome(surroundings.env, machine));
  // The real path once the directory exists; it may be made after this object.
  const home = { path: wanted };
  const host = createHost(() => home.path);
  home.path = host.disk.realpath(wanted) ?? wanted;
  const layout = homeLayout(home.path);
  const project = projectFor(host.disk, surroundings, options, layout);
  const files = [
    configFile(host.disk, 'organisation', organisationFiles.config),
    configFile(host.disk, 'user', layout.config),
    project === undefined || options.withoutProjectFile === true ? undefined : projectConfigFile(host.disk, project.dir),
  ].filter((file) => file !== undefined);
  const config = resolveConfig({
    env: surroundings.env, files, ...(options.flags === undefined ? {} : { flags: options.flags }),
    facts: { hostname: host.facts.hostname, homeDir: surroundings.homeDirectory, eventNames },
  });
  return { surroundings, host, home: layout, config, project, layout: project === undefined ? undefined : projectLayout(project.dir) };
}

/**
 * As `openInstallation`, for what an agent asks. The directory that this process was started in says which project is meant; the one the
 * agent names is asked only where the first is in no project, so that an agent cannot leave its project by naming another directory.
 */
export function openForAgent(surroundings: Surroundings, named: string | undefined, cwd: string | undefined): Installation {
  const options = named === undefined ? {} : { project: named };
  const here = openInstallation(surroundings, options);
  if (here.project !== undefined || cwd === undefined) return here;
  return openInstallation({ env: surroundings.env, homeDirectory: surroundings.homeDirectory, cwd }, options);
}

/** A shell, or an agent, may stand in a directory that has been removed; then not even a relative path can be understood. */
function workingDirectory(surroundings: Surroundings): string {
  try {
    return surroundings.cwd;
  } catch (cause) {
    throw new LokiError('usage', { attempted: 'find the working directory', found: 'it does not exist any more', hint: 'Change to a directory that exists', cause });
  }
}

function projectFor(disk: Disk, surroundings: Surroundings, options: InstallationOptions, home: HomeLayout): Project | undefined {
  const session = surroundings.env['LOKI_PROJECT_DIR'];
  return findProject(options.withoutProjectFile === true ? lookingDisk(disk) : disk, {
    cwd: surroundings.cwd, home: home.home, enrolmentFile: home.project,
    ...(options.project === undefined ? {} : { named: resolveFrom(surroundings.cwd, options.project) }),
    ...(session === undefined || session === '' ? {} : { session }),
  });
}

/** Throws `config.invalid` when something else than a directory stands where LOKI_HOME should be. */
export function assertHome({ host: { disk }, home: { home } }: Installation): void {
  const kind = disk.stat(home)?.kind;
  if (kind === undefined || kind === 'directory') return;
  throw new LokiError('config.invalid', { attempted: `use LOKI_HOME "${home}"`, found: 'it is not a directory', hint: 'Name a directory, or unset LOKI_HOME to use ~/.loki' });
}

/** The project, or an error that says how to get one. */
export function requireProject(installation: Installation): { readonly project: Project; readonly layout: ProjectLayout } {
  const { project, layout } = installation;
  if (project === undefined || layout === undefined) {
    throw new LokiError('project.unknown', { attempted: 'find the project', found: `no directory above "${installation.surroundings.cwd}" is enrolled or has a .loki folder` });
  }
  return { project, layout };
}

/** The project that a directory would be, whether or not it has been set up. */
export function projectOf(installation: Installation, path: string): Project {
  return projectAt(installation.host.disk, resolveFrom(installation.surroundings.cwd, path));
}

function configFile(disk: Disk, layer: ConfigFile['layer'], path: string): ConfigFile | undefined {
  const bytes = disk.read(path, largestConfigFile);
  return bytes === undefined ? undefined : { layer, path, text: Buffer.from(bytes).toString('utf8') };
}

function projectConfigFile(disk: Disk, dir: string): ConfigFile | undefined {
  const folder = join(dir, '.loki');
  const name = chooseConfigFile(disk.list(folder));
  return name === undefined ? undefined : configFile(disk, 'project', join(folder, name));
}

/**
 * LOKI_HOME and its `run` folder exist, readable by their owner alone (or by a log shipper's group). Throws `io.failed`
 * when that cannot be, `record.unsafe` when LOKI_HOME belongs to somebody else.
 */
export function prepareHome(installation: Installation): void {
  const { host: { disk }, home, config } = installation;
  const mode = config.audit.groupReadable ? 0o750 : 0o700;
  if (disk.stat(home.home) === undefined) {
    const [above, missing] = nearestExisting(disk, home.home);
    disk.ensureDirectory(above, join(above, missing), mode);
  }
  // One that stands in the file system's root, such as a mounted volume, has no parent of ours to be judged by.
  disk.ensureDirectory(home.home, home.run, 0o700);
}

function nearestExisting(disk: Disk, path: string): readonly [existing: string, missing: string] {
  const missing: string[] = [];
  let at = path;
  for (;;) {
    const real = disk.realpath(at);
    if (real !== undefined) return [real, missing.join('/')];
    missing.unshift(basename(at));
    at = dirname(at);
  }
}
