/**
 * How the initial policy judges a corpus of shell commands: which of the dangerous ones it stops, which of the harmless ones
 * it stands in the way of. The corpus is read where it lies and never copied here; nothing is run and no disk is asked.
 */
import { createBuiltins } from '../../lib/policy/builtin.ts';
import { createPolicy } from '../../lib/policy/evaluate.ts';
import { initialPolicyText } from '../../lib/policy/initial.ts';
import { createJudge } from '../../lib/policy/judge.ts';
import type { Judgement } from '../../lib/policy/judge.ts';
import { loadPolicyFile } from '../../lib/policy/load.ts';
import { scanners } from '../../lib/policy/scan/scanners.ts';
import { parts, plainProbe } from '../support/policy.ts';

/** One line of the corpus. */
export interface ShellVector {
  readonly rule: string;
  readonly text: string;
  readonly expect: 'deny' | 'allow' | 'no_crash';
  readonly sources_disagree?: boolean;
  readonly known_gap_of_source?: boolean;
  readonly cwd_dependent?: boolean;
}

export interface ShellCase extends ShellVector {
  readonly decision: string;
  readonly reason: string;
}

export interface ShellScore {
  readonly deny: number;
  readonly allow: number;
  readonly noCrash: number;
  readonly denied: number;
  /** Dangerous commands sent to a person. */
  readonly stoppedByApproval: number;
  /** Dangerous commands let through. */
  readonly missed: readonly ShellCase[];
  /** Harmless commands denied. */
  readonly overblocked: readonly ShellCase[];
  /** Harmless commands sent to a person. */
  readonly asked: readonly ShellCase[];
  /** Commands on which judging threw, whatever was expected of them. */
  readonly crashed: readonly ShellCase[];
}

const project = '/home/u/p';
const home = '/home/u';

/** A judge with the initial policy for a project that lies nowhere. */
export function initialJudge(): (command: string) => Judgement {
  const policy = createPolicy([loadPolicyFile({ text: initialPolicyText(), filename: 'policies.yaml', layer: 'project' })], { ...parts, homeDir: home });
  const builtins = createBuiltins({ lokiHome: `${home}/.loki`, projectDirs: [project], homeDir: home, controlPlane: ['127.0.0.1:57374'] });
  const judge = createJudge({ policy, builtins, probe: plainProbe, monotonic: () => performance.now(), scanners });
  return (command) => judge({ kind: 'exec', command, tool: 'Bash', cwd: project }, { project_dir: project, active_agents: 1 });
}

/** The lines of a corpus. */
export function shellVectors(text: string): readonly ShellVector[] {
  return text.split('\n').flatMap((line) => line === '' ? [] : [JSON.parse(line) as ShellVector]);
}

/** What came of each vector, counted. */
export function scoreShell(vectors: readonly ShellVector[], judge: (command: string) => Judgement = initialJudge()): ShellScore {
  const cases = vectors.map((vector) => judged(vector, judge));
  const expecting = (expect: ShellVector['expect']): ShellCase[] => cases.filter((one) => one.expect === expect);
  const [deny, allow] = [expecting('deny'), expecting('allow')];
  const decided = (list: readonly ShellCase[], decision: string): ShellCase[] => list.filter((one) => one.decision === decision);
  return {
    deny: deny.length, allow: allow.length, noCrash: expecting('no_crash').length,
    denied: decided(deny, 'DENY').length, stoppedByApproval: decided(deny, 'REQUIRE_APPROVAL').length, missed: decided(deny, 'ALLOW'),
    overblocked: decided(allow, 'DENY'), asked: decided(allow, 'REQUIRE_APPROVAL'), crashed: decided(cases, 'CRASH'),
  };
}

function judged(vector: ShellVector, judge: (command: string) => Judgement): ShellCase {
  try {
    const { decision, reason } = judge(vector.text);
    return { ...vector, decision, reason };
  } catch (error) {
    return { ...vector, decision: 'CRASH', reason: String(error) };
  }
}
