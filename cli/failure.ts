/**
 * A failure as the shell and the person see it: `error:`, every mistake with its place and caret, `hint:`, and the exit code
 * of the error's meaning. With `--json` one object on stderr. A command that answers an agent also prints a verdict
 * that is a no, because an agent must never take silence for consent.
 */
import { LokiError, errorMeanings, exitCode, messageOf, systemCode, type ErrorCode, type Problem } from '../lib/errors.ts';
import type { Terminal } from '../lib/host/terminal.ts';
import { createOutput, printable, type Output } from './output.ts';
import type { CommandRow } from './table.ts';

/** A failure with everything that is told about it. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly exit: number;
  readonly problems: readonly Problem[];
}

/** Prints the failure and answers with its exit code. */
export function reportFailure(error: unknown, terminal: Terminal, answersAgent: CommandRow['answersAgent']): number {
  const failure = describeFailure(error);
  const flags = terminal.argv.slice(0, terminal.argv.includes('--') ? terminal.argv.indexOf('--') : undefined);
  const output = createOutput(terminal, { json: flags.includes('--json'), quiet: false, plain: flags.includes('--no-color') });
  if (answersAgent === 'verdict') terminal.stdout.write(`${JSON.stringify({ decision: 'DENY', allowed: false, reason: failure.message, audit_seq: null })}\n`);
  if (output.json) {
    const { code, message, hint, problems } = failure;
    terminal.stderr.write(`${JSON.stringify({ error: { code, message, hint, ...(problems.length > 0 ? { problems } : {}) } })}\n`);
  } else for (const line of failureLines(failure, output)) output.message(line);
  if (answersAgent === 'code') return exitCode.usage;
  return answersAgent === 'verdict' ? refusalExit(failure.exit) : failure.exit;
}

/** What is known of any thrown value. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof LokiError) {
    const { code, message, hint, problems } = error;
    return { code, message, hint, problems, exit: errorMeanings[code].exit };
  }
  // System calls fail with names such as ENOSPC; the names Node gives to its own errors have an underscore.
  const code = /^E[A-Z0-9]+$/.test(systemCode(error) ?? '') ? 'io.failed' : 'internal';
  return { code, message: `Cannot finish: ${messageOf(error)}`, hint: errorMeanings[code].hint, problems: [], exit: errorMeanings[code].exit };
}

/** The lines for a person, without line ends. */
export function failureLines(failure: Failure, output: Output): readonly string[] {
  const { paint } = output.err;
  return [
    `${paint('red', 'error:')} ${printable(failure.message)}`,
    ...failure.problems.flatMap((problem, at) => problemLines(problem, failure.hint, at === 0 && failure.message.includes(problem.message))),
    `${paint('cyan', 'hint:')} ${printable(failure.hint)}`,
  ];
}

/** A mistake with its place and caret; without its words when the message has `said` them. */
function problemLines(problem: Problem, hint: string, said: boolean): string[] {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  const excerpt = (problem.excerpt ?? '').split('\n').filter((line) => line !== '');
  return [
    ...(said ? [] : [`  ${place === '' ? '' : `${printable(place)}: `}${printable(problem.message)}`]),
    ...excerpt.map((line) => `      ${printable(line)}`),
    ...(problem.hint === undefined || problem.hint === hint ? [] : [`      ${printable(problem.hint)}`]),
  ];
}

/** 3 and 5 say which no it is; every other failure is unusable input to an agent, and never 0 or 1. */
function refusalExit(exit: number): number {
  return exit === exitCode.denied || exit === exitCode.approval ? exit : exitCode.usage;
}
