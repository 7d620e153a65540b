// A model that plays fixtures/agents/scripts/*.json: which phase it is in stands in the prompt, and so does the id that a
// reviewer's verdict must carry. Steps are turned into the tools of the agent that asks.
import { resolve } from 'node:path';

const usage = { input: 1000, output: 100, cached: 400 };

/** The function for the model servers. `project` is where the agent works. */
export function scriptedModel(agent, script, project) {
  return (prompt, turn) => {
    const phase = /Phase (REASON|ACT|REFLECT|VERIFY), round/.exec(prompt)?.[1] ?? 'REFLECT';
    const review = /"review":"([0-9a-f]{24})"/.exec(prompt)?.[1];
    const turns = turnsOf(script[phase], (step) => tools[agent](step, project), review);
    return { usage, ...turns[Math.min(turn, turns.length - 1)] };
  };
}

/** What is said before a call comes with it; what is said at the end is the answer. */
function turnsOf(steps, call, review) {
  const turns = [];
  let said = [];
  for (const step of steps) {
    const words = spoken(step, review);
    if (words !== undefined) {
      said.push(words);
      continue;
    }
    turns.push({ ...(said.length === 0 ? {} : { text: said.join('\n') }), ...call(step) });
    said = [];
  }
  return [...turns, { text: said.join('\n') || 'Done.' }];
}

function spoken({ say, task, description, priority, verdict, reason }, review) {
  if (say !== undefined) return say;
  if (task !== undefined) return JSON.stringify({ type: 'task', title: task, description, priority });
  return verdict === undefined ? undefined : JSON.stringify({ type: 'verdict', review, verdict, reason });
}

/** One step as a call of a tool. Steps of a script are told apart by their first member. */
const tools = {
  claude: (step, project) => {
    const file_path = resolve(project, step.read ?? step.write ?? step.edit ?? '.');
    if (step.read) return { tool: 'Read', input: { file_path } };
    if (step.write) return { tool: 'Write', input: { file_path, content: step.content } };
    if (step.edit) return { tool: 'Edit', input: { file_path, old_string: step.find, new_string: step.replace } };
    return { tool: 'Bash', input: { command: step.run, description: 'as the script says' } };
  },
  codex: (step) => {
    if (step.write) return { tool: 'apply_patch', input: `*** Begin Patch\n*** Add File: ${step.write}\n${lines('+', step.content)}*** End Patch\n` };
    if (step.edit) return { tool: 'apply_patch', input: patchOf(step) };
    return { tool: 'exec_command', input: { cmd: step.run ?? `cat ${step.read}` } };
  },
  gemini: (step, project) => {
    const file_path = resolve(project, step.read ?? step.write ?? step.edit ?? '.');
    if (step.read) return { tool: 'read_file', input: { file_path } };
    if (step.write) return { tool: 'write_file', input: { file_path, content: step.content } };
    if (step.edit) return { tool: 'replace', input: { file_path, old_string: step.find, new_string: step.replace, instruction: 'as the script says' } };
    return { tool: 'run_shell_command', input: { command: step.run, description: 'as the script says' } };
  },
  opencode: (step, project) => {
    const filePath = resolve(project, step.read ?? step.write ?? step.edit ?? '.');
    if (step.read) return { tool: 'read', input: { filePath } };
    if (step.write) return { tool: 'write', input: { filePath, content: step.content } };
    if (step.edit) return { tool: 'edit', input: { filePath, oldString: step.find, newString: step.replace } };
    return { tool: 'bash', input: { command: step.run, description: 'as the script says' } };
  },
};

function patchOf({ edit, find, replace }) {
  return `*** Begin Patch\n*** Update File: ${edit}\n@@\n${lines('-', find)}${lines('+', replace)}*** End Patch\n`;
}

function lines(mark, text) {
  return text.replace(/\n$/, '').split('\n').map((line) => `${mark}${line}\n`).join('');
}
