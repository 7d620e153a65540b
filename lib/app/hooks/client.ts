/** Which version of an agent is here: read from beside its program where that tells, else asked of the program itself, for a moment. */
import type { AgentName } from '../../agents/hook.ts';
import { clientTable } from '../../agents/settings/client-versions.ts';
import { agentSigns } from '../../agents/settings/places.ts';
import { ancestors, join } from '../../base/paths.ts';
import { objectIn } from '../../base/json.ts';
import type { Installation } from '../installation.ts';

export interface Client {
  readonly program: string;
  /** Undefined when it cannot be told. */
  readonly version: string | undefined;
}

const answerTimeoutMs = 3000;
const longestAnswer = 4096;
const largestManifest = 1 << 20;
/** How far above a program its package may begin. */
const mostFolders = 5;

/** The first of the agent's programs on the PATH; undefined when there is none. */
export async function clientOf(installation: Installation, agent: AgentName): Promise<Client | undefined> {
  const { host: { spawn, disk }, surroundings: { env } } = installation;
  const program = agentSigns[agent].programs.map((name) => spawn.find(name, env['PATH'])).find((path) => path !== undefined);
  if (program === undefined) return undefined;
  const real = disk.realpath(program) ?? program;
  return { program, version: packageVersion(installation, agent, real) ?? /\/(\d+\.\d+\.\d+)(?:\/|$)/.exec(real)?.[1] ?? await askVersion(installation, program) };
}

function packageVersion({ host: { disk } }: Installation, agent: AgentName, real: string): string | undefined {
  const { packages } = clientTable[agent];
  for (const directory of [...ancestors(real)].slice(1, mostFolders + 1)) {
    const bytes = disk.read(join(directory, 'package.json'), largestManifest);
    const manifest = bytes === undefined ? undefined : objectIn(bytes);
    const { name, version } = manifest ?? {};
    if (typeof name === 'string' && packages.some((known) => name === known || name.startsWith(`${known}-`)) && typeof version === 'string') return version;
  }
  return undefined;
}

async function askVersion({ host: { spawn }, surroundings: { env, homeDirectory } }: Installation, program: string): Promise<string | undefined> {
  try {
    const { stdout } = await spawn.run({ program, args: ['--version'], cwd: '/', env: { PATH: env['PATH'] ?? '', HOME: homeDirectory, NO_COLOR: '1' }, timeoutMs: answerTimeoutMs, outputLimit: longestAnswer });
    return /\d+\.\d+\.\d+/.exec(Buffer.from(stdout).toString('utf8'))?.[0];
  } catch {
    return undefined;
  }
}
