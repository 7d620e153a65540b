/**
 * The plugin that OpenCode loads: plain JavaScript that asks our program about each tool call and prompt, and tells it what was
 * used. It is made anew by every `loki hooks install`; the facts of the installation stand at its top.
 */
import { handedDown } from '../hook-command.ts';
import { hookEvents } from '../hook-events.ts';
import { programSeconds, type HookFacts } from './wanted.ts';

const firstLine = '// The hooks of loki for OpenCode, written by `loki hooks install`. Changes are lost with the next one.';

/** Whether a plugin file is ours, whoever made which version of it. */
export function isOwnPlugin(text: string): boolean {
  return text.startsWith(firstLine);
}

/** The plugin's text. The same facts give the same text. */
export function opencodePlugin({ program, project, flags = [], env }: HookFacts): string {
  const facts = {
    program: program[0] ?? '',
    args: [...program.slice(1), 'hook', 'opencode', ...(project === undefined ? [] : ['--project', project]), ...flags],
    env,
    handedDown,
    seconds: Object.fromEntries(hookEvents.opencode.map(({ event, seconds }) => [event, programSeconds(seconds)])),
  };
  return `${firstLine}\nimport { spawn } from 'node:child_process';\nimport { env as surroundings } from 'node:process';\nimport { setTimeout as later } from 'node:timers';\n\nconst loki = ${JSON.stringify(facts, null, 2)};\n${body}`;
}

/** The facts of a plugin of ours; undefined when they cannot be read. */
export function pluginFacts(text: string): HookFacts | undefined {
  const facts = /^const loki = (\{[^]*?\n\});$/m.exec(text)?.[1];
  if (facts === undefined) return undefined;
  try {
    const { program, args, env }: { readonly program: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } = JSON.parse(facts);
    const hook = args.indexOf('hook');
    const rest = args.slice(hook + 2);
    const project = rest[0] === '--project' ? rest[1] : undefined;
    return { program: [program, ...args.slice(0, hook)], env, flags: project === undefined ? rest : rest.slice(2), ...(project === undefined ? {} : { project }) };
  } catch {
    return undefined;
  }
}

const body = `
/** The longest answer that is read, in bytes. */
const longestAnswer = 64 * 1024 * 1024;

/** Asks loki about one event. Whatever goes wrong is a no, and it always ends. */
function ask(event) {
  return new Promise((resolve) => {
    let timer;
    let child;
    const end = (answer) => {
      clearTimeout(timer);
      if (child) { child.kill('SIGKILL'); child.stdout?.destroy(); child.stderr?.destroy(); }
      resolve(answer);
    };
    const no = (why) => end({ allow: false, reason: 'loki: this call is not allowed (policy hook: ' + why + ')' });
    try {
      const input = JSON.stringify(event);
      const env = { ...loki.env };
      for (const name of loki.handedDown) if (surroundings[name]) env[name] = surroundings[name];
      const seconds = loki.seconds[event.event];
      timer = later(() => no('no answer within ' + seconds + ' seconds'), seconds * 1000);
      child = spawn(loki.program, loki.args, { env, stdio: 'pipe' });
      const chunks = [];
      let words = '';
      let size = 0;
      child.stdout.on('data', (chunk) => {
        size += chunk.length;
        if (size > longestAnswer) no('an answer without end');
        else chunks.push(chunk);
      });
      child.stderr.on('data', (chunk) => { if (words.length < 4000) words += chunk; });
      child.on('error', (error) => no(String(error && error.message)));
      child.on('close', (code) => {
        try {
          const answer = JSON.parse(Buffer.concat(chunks).toString('utf8'));
          if (answer.allow === false && typeof answer.reason === 'string' && answer.reason !== '') end({ allow: false, reason: answer.reason });
          else if (code === 0 && answer.allow === true) end(answer);
          else no('exit code ' + code);
        } catch {
          // A refusal without an answer has its words on the error stream.
          if (code === 2 && words.trim() !== '') end({ allow: false, reason: words.trim() });
          else no('exit code ' + code);
        }
      });
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    } catch (error) {
      no(String(error && error.message));
    }
  });
}

/** What is being told, and the sessions that have begun here: OpenCode waits for neither before it ends. */
const telling = new Set();
const begun = new Set();

/** Tells loki what needs no answer. */
async function tell(event) {
  const told = ask(event);
  telling.add(told);
  await told;
  telling.delete(told);
}

/** Every text in a value becomes \`reason\`, in place. */
function overwrite(value, reason) {
  for (const key of Object.keys(value)) {
    if (typeof value[key] === 'string') value[key] = reason;
    else if (value[key] && typeof value[key] === 'object') overwrite(value[key], reason);
  }
}

/** Puts the reason in place of all that a tool gave: what the model sees, and what is shown and kept beside it. */
function hide(output, reason) {
  if (Array.isArray(output.content)) output.content.splice(0, output.content.length, { type: 'text', text: reason });
  if (typeof output.output === 'string' || !Array.isArray(output.content)) output.output = reason;
  for (const beside of [output.metadata, output.structuredContent]) if (beside && typeof beside === 'object') overwrite(beside, reason);
}

/** Puts the values of \`by\` in place of those of \`output\`, in the same objects: OpenCode looks at no others. */
function replace(output, by) {
  if (typeof by === 'string') { output.output = by; return; }
  for (const key of Object.keys(by)) {
    // A server chose the names: this one would lead to what all objects of the process share.
    if (key === '__proto__') continue;
    if (output[key] && typeof output[key] === 'object' && by[key] && typeof by[key] === 'object') replace(output[key], by[key]);
    else output[key] = by[key];
  }
}

/** Tokens that messages have used, by message, and how much of that has been told. */
const used = new Map();

function count(info) {
  if (!info || info.role !== 'assistant' || !info.tokens) return;
  const cache = info.tokens.cache || {};
  const known = used.get(info.id);
  used.set(info.id, {
    sessionID: info.sessionID,
    model: [info.providerID, info.modelID].filter(Boolean).join('/'),
    tokens: { input: info.tokens.input || 0, output: (info.tokens.output || 0) + (info.tokens.reasoning || 0), cacheRead: cache.read || 0, cacheWrite: cache.write || 0 },
    told: known ? known.told : { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  });
}

/** What is new since the last report of a session, model by model. */
function newUsage(sessionID) {
  const models = new Map();
  for (const message of used.values()) {
    if (message.sessionID !== sessionID) continue;
    const sum = models.get(message.model) || { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
    for (const kind of Object.keys(sum)) sum[kind] += Math.max(0, message.tokens[kind] - message.told[kind]);
    message.told = { ...message.tokens };
    models.set(message.model, sum);
  }
  return [...models].filter(([, sum]) => Object.values(sum).some((number) => number > 0)).map(([model, sum]) => ({ ...(model ? { model } : {}), ...sum }));
}

export const Loki = async ({ directory }) => ({
  // What is thrown here is told to the model, and the tool does not run.
  'tool.execute.before': async (input, output) => {
    const answer = await ask({ event: 'tool.execute.before', tool: input.tool, sessionID: input.sessionID, callID: input.callID, args: output.args, cwd: directory });
    if (answer.allow !== true) throw new Error(answer.reason);
  },

  // The tool has run: a no keeps its output from the model.
  'tool.execute.after': async (input, output) => {
    const answer = await ask({ event: 'tool.execute.after', tool: input.tool, sessionID: input.sessionID, callID: input.callID, args: input.args, output: { ...output }, cwd: directory });
    if (answer.allow !== true) hide(output, answer.reason);
    else if (answer.output !== undefined) replace(output, answer.output);
  },

  'chat.message': async (input, output) => {
    const prompt = output.parts.filter((part) => part.type === 'text').map((part) => part.text).join('\\n');
    const answer = await ask({ event: 'chat.message', sessionID: input.sessionID, prompt, cwd: directory });
    if (answer.allow !== true) throw new Error(answer.reason);
  },

  event: async ({ event }) => {
    const { type, properties = {} } = event;
    if (type === 'session.created' && properties.info) {
      begun.add(properties.info.id);
      await tell({ event: 'session.start', sessionID: properties.info.id, cwd: directory });
    }
    if (type === 'message.updated') count(properties.info);
    if (type === 'session.idle') await tell({ event: 'session.idle', sessionID: properties.sessionID, usage: newUsage(properties.sessionID), cwd: directory });
  },

  // OpenCode ends, and waits for this.
  dispose: async () => {
    await Promise.all(telling);
    await Promise.all([...begun].map((sessionID) => tell({ event: 'session.stop', sessionID, cwd: directory })));
    begun.clear();
  },
});
`;
