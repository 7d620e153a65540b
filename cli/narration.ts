/** A run's timeline told to a person: one event, one or a few lines. What agents wrote is shown as text, never as control characters. */
import type { JsonObject, JsonValue } from '../lib/base/json.ts';
import type { RunEvent } from '../lib/runs/run.ts';
import { printable, type Colour, type Look, type Paint } from './output.ts';

/** How the decisions and outcomes that a person looks for stand out. */
const words: Readonly<Record<string, readonly [word: string, colour: Colour]>> = {
  ALLOW: ['allowed', 'green'], DENY: ['DENIED', 'red'], REQUIRE_APPROVAL: ['needs approval', 'yellow'],
  pending: ['waits for approval', 'yellow'], approved: ['approved', 'green'], rejected: ['rejected', 'red'], expired: ['not approved in time', 'red'],
};

const levelColours: Readonly<Record<string, Colour>> = { warning: 'yellow', error: 'red' };

/** Text of agents in one line is cut here. */
const longestText = 320;
const mostErrorLines = 5;
/** Actions are told shortened, so that no more of a reason is looked for in them. */
const longestReasonLooked = 200;

/** The lines of one event; none for what says nothing new. */
export function eventLines(event: RunEvent, look: Look): readonly string[] {
  const lines = tell(event, look.paint);
  return lines.map((line) => `${look.paint('dim', event.timestamp.slice(11, 19))}  ${line}`);
}

function tell({ event_type: type, details, phase }: RunEvent, paint: Paint): readonly string[] {
  const text = (name: string): string => textOf(details, name);
  switch (type) {
    case 'phase_change': return [phaseLine(details, text, paint)];
    case 'policy_decision': return decisionLines(text, paint);
    case 'agent_action': return text('decision') === 'ALLOW' && details['ok'] === false ? [`${paint('yellow', 'did not work')}  ${text('kind')} ${text('target')}`] : [];
    case 'quality_gate': return [`${mark(details['passed'] === true, paint)}  gate ${text('name')}: ${text('outcome')}`];
    case 'approval': return approvalLine(text, paint);
    case 'council': return text('reviewer') === ''
      ? [`${paint('yellow', text('outcome'))}${because(text('reason'), '')}`]
      : [`${mark(details['approved'] === true, paint)}  reviewer ${text('reviewer')}${because(text('reason'), '')}`];
    case 'error': return [`${paint('red', 'error')}  ${text('message')}`, ...lastLines(details['stderr']).map((line) => `       ${paint('dim', line)}`)];
    case 'log': {
      const colour = levelColours[text('level')];
      const line = `${phase === null ? '' : '  '}${text('message')}${because(text('text'), '')}`;
      return [colour === undefined ? line : paint(colour, line)];
    }
  }
}

/** That an approval was used shows in the decision; why it was asked for is told once. */
function approvalLine(text: (name: string) => string, paint: Paint): readonly string[] {
  const status = text('status');
  if (status === 'used') return [];
  // The action of a question of the run itself is its reason.
  const isTold = text('action').includes(text('reason').slice(0, longestReasonLooked));
  const why = (status === 'pending' && !isTold) || text('action') === '' ? because(text('reason'), '') : '';
  return [`${judged(status, paint)}  ${[text('approval_id'), text('action')].filter((part) => part !== '').join('  ')}${why}`];
}

/** What was allowed in one line; what was not with its reason below, for that is what a person reads. */
function decisionLines(text: (name: string) => string, paint: Paint): readonly string[] {
  const line = `${judged(text('decision'), paint)}  ${text('action') === '' ? text('subject') : text('action')}`;
  if (text('reason') === '' || (text('decision') === 'ALLOW' && text('rule') === '')) return [line];
  return [line, paint('dim', `        ${text('reason')}${text('rule') === '' ? '' : ` [${text('rule')}]`}`)];
}

function phaseLine(details: JsonObject, text: (name: string) => string, paint: Paint): string {
  const iteration = details['iteration'];
  const round = typeof iteration === 'number' && iteration > 0 ? ` (round ${iteration})` : '';
  const ended: Readonly<Record<string, Colour>> = { completed: 'green', failed: 'red', cancelled: 'yellow' };
  const to = text('to');
  return `${paint(ended[to] ?? 'bold', to)}${round}${because(text('reason'), '')}`;
}

function judged(value: string, paint: Paint): string {
  const [word, colour] = words[value] ?? [value, 'bold' as const];
  return paint(colour, word);
}

function mark(passed: boolean, paint: Paint): string {
  return passed ? paint('green', 'passed') : paint('red', 'failed');
}

function because(reason: string, rule: string): string {
  if (reason === '' && rule === '') return '';
  return `: ${[reason, rule === '' ? '' : `[${rule}]`].filter((part) => part !== '').join(' ')}`;
}

/** The end of what a program said to stderr. */
function lastLines(text: JsonValue | undefined): readonly string[] {
  if (typeof text !== 'string') return [];
  return text.trimEnd().split('\n').slice(-mostErrorLines).filter((line) => line !== '').map((line) => printable(line.slice(0, longestText)));
}

function textOf(details: JsonObject, name: string): string {
  const value = details[name];
  if (typeof value !== 'string') return '';
  const text = printable(value.length > longestText ? `${value.slice(0, longestText - 1)}…` : value);
  return text.replaceAll('\\u000a', ' ');
}
