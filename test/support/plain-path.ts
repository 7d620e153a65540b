/** The PATH of the machine that tests run on, without the folders in which a coding agent's program lies: whoever works here has some. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { agentNames, agentSigns } from '../../lib/agents/settings/places.ts';

const programs = agentNames.flatMap((agent) => agentSigns[agent].programs);

/** As `process.env.PATH`; node itself is always started by its own path. */
export const plainPath: string = (process.env['PATH'] ?? '').split(':').filter((folder) => !programs.some((program) => existsSync(join(folder, program)))).join(':');
