/** What hook processes write: one JSON object or nothing on standard output, and for a refusal words on standard error alone. */
import type { JsonObject } from '../base/json.ts';
import type { HookOutput } from './hook.ts';

/** One object on standard output, exit code 0; nothing at all for undefined. No line may stand before or after it. */
export function said(value: JsonObject | undefined): HookOutput {
  return { stdout: value === undefined ? '' : JSON.stringify(value), stderr: '', exit: 0 };
}

/** The no that every agent takes for one: exit code 2, a reason on standard error, nothing on standard output. */
export function refusal(reason: string): HookOutput {
  return { stdout: '', stderr: `${reason.trim() === '' ? 'Not allowed' : reason}\n`, exit: 2 };
}
