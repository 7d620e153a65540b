/**
 * `npm start`: the whole product on a small real project. Copies fixtures/sample into a scratch folder, puts it under
 * governance, lets a scripted agent work there through the gate, tells every decision as it happens, verifies the chain, and
 * leaves the control plane up. A run that was broken off is taken up again; nothing recorded before is lost.
 */
import { exitCode } from '../lib/errors.ts';
import { terminal, type Terminal } from '../lib/host/terminal.ts';
import { join, resolveFrom } from '../lib/base/paths.ts';
import { openRecord } from '../lib/app/audit/record.ts';
import { runningAddress } from '../lib/app/control-plane-address.ts';
import { startControlPlane } from '../lib/app/control-plane.ts';
import { confirmCommands, performInit, planInit, trustState } from '../lib/app/enrol.ts';
import { openInstallation, projectOf, type Installation } from '../lib/app/installation.ts';
import { packageFile } from '../lib/app/package-file.ts';
import { openSampleGround, type SamplePlaces } from '../lib/app/sample.ts';
import { startSession, takeUpSession } from '../lib/app/session.ts';
import { openProjectStore } from '../lib/app/store.ts';
import { verifyAll } from '../lib/app/audit/verify.ts';
import { sessionStatus } from '../lib/runs/control.ts';
import { parseArgs } from './args.ts';
import { reportFailure } from './failure.ts';
import { createOutput, type Output } from './output.ts';
import { sessionOptions } from './session.ts';
import { shellWord } from './shell-word.ts';

const flags = [
  { name: 'once', kind: 'switch', summary: 'End after the run instead of leaving the control plane up' },
  { name: 'scratch', kind: 'text', value: 'DIR', summary: 'Keep the copies and the records here (.sample beside the program)' },
] as const;

async function main(): Promise<number> {
  const args = parseArgs(terminal.argv, { called: 'npm start --', flags, operands: [] });
  const output = createOutput(terminal, { json: false, quiet: false, plain: args.on('no-color') });
  const heading = (text: string): void => { output.line(); output.line(output.out.paint('bold', text)); };

  const scratch = args.text('scratch');
  const ground = openSampleGround(scratch === undefined ? packageFile('.sample') : resolveFrom(terminal.cwd, scratch), terminal.env, terminal.signal);
  const brokenOff = ground.newest !== undefined && await wasBrokenOff(ground.newest);
  const places = ground.newest !== undefined && brokenOff ? ground.newest : await ground.copy();
  heading('1  A project, and who governs it');
  const installation = await govern(places, output);

  heading('2  A governed run: every action is judged, recorded, then done');
  if (brokenOff) output.line('   the last run was broken off: it is taken up where it stood');
  const options = { ...sessionOptions({ args, output, terminal }, installation, lokiFor(installation)), script: packageFile('fixtures/sample/agent/script.json') };
  const outcome = await (brokenOff ? takeUpSession(installation, options) : startSession(installation, places.prd, options));
  output.line(`${outcome.status === 'completed' ? output.out.paint('green', outcome.status) : output.out.paint('red', outcome.status)}: ${outcome.reason}`);

  heading('3  Is the record intact?');
  const report = await verifyAll(installation, { signal: terminal.signal });
  for (const chain of report.chains) output.line(`   ${chain.verdict}  ${chain.chain}: ${chain.entries_checked} entries, seq ${chain.first_seq} to ${chain.last_seq}`);

  heading('4  Where everything is');
  tellPlaces(output, installation, places);
  const code = outcome.status === 'completed' && report.valid ? 0 : terminal.signal.aborted ? 130 : 1;
  if (args.on('once') || code !== 0) return code;
  return serve(output, installation);
}

/** Enrols the copy and confirms its commands, as a person would with `loki init` and `loki trust`. */
async function govern(places: SamplePlaces, output: Output): Promise<Installation> {
  const before = openAt(places);
  const plan = planInit(before, projectOf(before, places.project), false);
  const actor = `user:${before.host.facts.username}`;
  if (plan.enrolled === undefined || plan.changed.length > 0) {
    await performInit(before, plan, actor);
    output.line(`   enrolled ${places.project}: its policy is pinned, an agent cannot change it unseen`);
  }
  const installation = openAt(places);
  const trust = trustState(installation);
  if (!trust.confirmed) {
    await confirmCommands(installation, actor);
    for (const { what, command } of trust.commands) output.line(`   confirmed ${what}: ${command}`);
  }
  return openAt(places);
}

/** The sample's own LOKI_HOME and nobody's session: whatever surrounds `npm start` stays out of it. */
function openAt(places: SamplePlaces): Installation {
  const env = { ...terminal.env, LOKI_HOME: places.home, LOKI_PROJECT_DIR: undefined };
  return openInstallation({ env, cwd: places.project, homeDirectory: terminal.homeDirectory }, { project: places.project });
}

/** Whether a session was at work in a copy and its process is gone. */
async function wasBrokenOff(places: SamplePlaces): Promise<boolean> {
  const installation = openAt(places);
  const { project, host } = installation;
  if (project === undefined) return false;
  const log = openRecord(installation);
  const store = await openProjectStore(installation, log.record);
  try {
    const view = await sessionStatus({ store, facts: host.facts }, { id: project.id, dir: project.dir, tenant_id: null });
    return view?.state === 'dead';
  } finally {
    await store.close();
    await log.close();
  }
}

function tellPlaces(output: Output, installation: Installation, places: SamplePlaces): void {
  const rows: readonly (readonly [string, string])[] = [
    ['the project the agent worked in', places.project],
    ['the policy it was judged by', join(places.project, '.loki/policies.yaml')],
    ['the log of record', installation.home.audit],
    ['what the agent did', join(places.project, '.loki/logs/agent-audit.jsonl')],
    ['look at it', `${lokiFor(installation)} enterprise audit tail`],
    ['check it', `${lokiFor(installation)} audit verify`],
  ];
  for (const [what, where] of rows) output.line(`   ${what.padEnd(32)}${where}`);
}

/** What reaches the sample's records when it is typed into a shell. */
function lokiFor({ host, home }: Installation): string {
  return [`LOKI_HOME=${shellWord(home.home)}`, ...host.facts.loki.map(shellWord)].join(' ');
}

/** Leaves the control plane up until Ctrl-C. */
async function serve(output: Output, installation: Installation): Promise<number> {
  const running = runningAddress(installation);
  const plane = await startControlPlane(installation, { otherPortWhenTaken: true });
  output.line();
  output.line(`The control plane is up: ${output.out.paint('bold', plane.url)}   (Ctrl-C ends it)`);
  if (running !== undefined && running !== plane.url) output.note(`Another one wrote down ${running} before.`);
  await untilAborted(terminal);
  await plane.stop();
  return 0;
}

function untilAborted({ signal }: Terminal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

try {
  await terminal.finish(await main());
} catch (error) {
  // Whoever ended it knows why it ended.
  await terminal.finish(terminal.signal.aborted ? exitCode.interrupted : reportFailure(error, terminal, undefined));
}

