/**
 * `POST /hooks/claude`: one hook event of Claude Code, judged. Always a JSON object: an empty answer is none to the agent, which would then
 * go on. What cannot be asked here at all (token, origin, size, too many) gets the status of its error, which the agent takes for a no.
 */
import { LokiError } from '../../errors.ts';
import type { Handler } from '../message.ts';
import type { QueryRules } from '../query.ts';
import type { HookService } from '../services.ts';

export function hookRules(hooks: HookService): QueryRules {
  return { event: { accepts: 'an event that is asked about over HTTP', fits: (text) => hooks.knows(text) } };
}

/** The token says for which project; nothing in the request does. */
export function answer(hooks: HookService): Handler {
  return async ({ principal: { hookProject }, query, headers, readText, patience, signal }) => {
    const event = query.get('event');
    if (hookProject === undefined || event === undefined) throw new LokiError('request.invalid', { attempted: 'answer the hook', found: 'it does not say which event it was installed for' });
    const body = await hooks.answer({ projectId: hookProject, event, read: readText, entrypoint: headers.get('x-loki-entrypoint'), signal, expect: patience });
    return { status: 200, headers: { 'Content-Type': 'application/json; charset=utf-8' }, body };
  };
}
