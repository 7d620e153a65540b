/**
 * `loki … create`, `update`, `delete` and their like. What cannot simply be taken back is shown and asked about first; a change is
 * made to the state that was looked at, and to no other; a request that may have been lost is sent again as the same one.
 */
import { exitCode, LokiError } from '../../lib/errors.ts';
import type { ApiQuestion, ApiReply } from '../../lib/app/api/access.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import type { Command, CommandContext, Example, FlagRow } from '../command.ts';
import { confirm, yesFlag } from '../confirm.ts';
import { printable } from '../output.ts';
import { apiExits, dryRunFlag, idOperand, openAccess, urlFlag, wantedId, type Opened } from './access.ts';
import { memberLines } from './get.ts';
import { membersGiven } from './members.ts';
import { textOf, type Member, type Resource } from './resource.ts';

interface Words {
  readonly about: string;
  readonly examples: readonly Example[];
}

export interface CreateRow extends Words {
  readonly members: readonly Member[];
  /** What goes without being said. */
  complete?(opened: Opened, given: JsonObject): JsonObject;
  /** Prints what was made; its id on stdout and words on stderr when left out. */
  tell?(context: CommandContext, object: JsonObject): void;
}

const once = 'A request whose answer was lost is sent again as the same one, and happens once.';

export function createCommand(resource: Resource, { about, examples, members, complete, tell = tellMade(resource) }: CreateRow): Command {
  return {
    about: `${about}\n\nPrints the new id, and words on stderr; --json prints the ${resource.one}. ${once}`,
    operands: [], flags: [...members.map(({ flag }) => flag), dryRunFlag, urlFlag], examples, exits: apiExits,
    async run(context) {
      const opened = openAccess(context);
      const attempted = `make the ${resource.one}`;
      // What goes without being said is not missing.
      const usual = complete?.(opened, {}) ?? {};
      const needed = members.map((member) => (usual[member.flag.name.replaceAll('-', '_')] === undefined ? member : { flag: member.flag, ...(member.read === undefined ? {} : { read: member.read }) }));
      const body = { ...usual, ...membersGiven(context.args, needed, opened.installation.host.clock.now(), attempted) };
      const reply = await send(context, opened, { method: 'POST', path: `/${resource.many}`, body, attempted, isRepeatable: true });
      if (reply !== undefined) tell(context, reply.object);
      return exitCode.done;
    },
  };
}

/** Its id alone on stdout. */
export function tellMade({ one, words }: Pick<Resource, 'one' | 'words'>, did: string = 'Made'): (context: CommandContext, object: JsonObject) => void {
  return ({ output }, object) => {
    if (output.json) return output.value(object);
    output.note(`${did} the ${one} ${printable(words(object))}`);
    output.line(printable(textOf(object, 'id')));
  };
}

export interface UpdateRow extends Words {
  readonly members: readonly Member[];
  /** Its route does not take an Idempotency-Key. */
  readonly unkeyed?: true;
}

export function updateCommand(resource: Resource, { about, examples, members, unkeyed }: UpdateRow): Command {
  const { one, many, words } = resource;
  return {
    about: `${about} What is left out stays as it is. The change is made to the state that is read just before: one that somebody changes meanwhile is left alone (exit code 1).`,
    operands: [idOperand(resource)], flags: [...members.map(({ flag }) => flag), dryRunFlag, urlFlag], examples, exits: apiExits,
    async run(context) {
      const id = wantedId(context, resource);
      const opened = openAccess(context);
      const attempted = `change the ${one}`;
      const body = membersGiven(context.args, members, opened.installation.host.clock.now(), attempted);
      if (Object.keys(body).length === 0) throw new LokiError('usage', { attempted, found: 'nothing is to be changed', hint: `Name a member: ${members.map(({ flag }) => `--${flag.name}`).join(', ')}` });
      const path = `/${many}/${id}`;
      const { tag } = await opened.access.ask({ method: 'GET', path, attempted });
      const reply = await send(context, opened, { method: 'PUT', path, body, attempted, ...matching(tag), isRepeatable: unkeyed !== true });
      if (reply === undefined) return exitCode.done;
      if (context.output.json) context.output.value(reply.object);
      else context.output.line(`Changed the ${one} ${printable(words(reply.object))}`);
      return exitCode.done;
    },
  };
}

export interface RemoveRow extends Words {
  /** `Remove`, `Removed`. */
  readonly verb?: readonly [question: string, did: string];
  /** It is done to whatever state it is in, and doing it twice does nothing more. */
  readonly always?: true;
}

export function removeCommand(resource: Resource, { about, examples, verb = ['Remove', 'Removed'], always }: RemoveRow): Command {
  const { one, many, words } = resource;
  const [question, did] = verb;
  const attempted = `${question.toLowerCase()} the ${one}`;
  return {
    about: `${about} Shows it and asks; --yes answers.${always === true ? '' : ' What is changed by somebody meanwhile is left alone (exit code 1).'}`,
    operands: [idOperand(resource)], flags: [yesFlag, dryRunFlag, urlFlag], examples, exits: [[1, 'a person said no, or it failed'], ...apiExits],
    async run(context) {
      const id = wantedId(context, resource);
      const opened = openAccess(context);
      const { output, args } = context;
      const path = `/${many}/${id}`;
      const { object, tag } = await opened.access.ask({ method: 'GET', path, attempted });
      if (!args.on('dry-run')) {
        const show = args.on('yes') ? output.note : output.message;
        for (const line of memberLines(object)) show(line);
        if (!await confirm(context, `${question} this ${one}?`, attempted)) return exitCode.failed;
      }
      if (await send(context, opened, { method: 'DELETE', path, attempted, ...matching(always === true ? undefined : tag), isRepeatable: true }) === undefined) return exitCode.done;
      if (output.json) output.value({ id, [did.toLowerCase()]: true });
      else output.line(`${did} the ${one} ${printable(words(object))}`);
      return exitCode.done;
    },
  };
}

export interface ActRow extends Words {
  /** `cancel`, of the path and of what is attempted. */
  readonly act: string;
  readonly members?: readonly Member[];
  readonly flags?: readonly FlagRow[];
  readonly exits?: Command['exits'];
  tell(context: CommandContext, object: JsonObject, opened: Opened): void | Promise<number>;
}

/** A command that is a `POST` to something below the object. */
export function actCommand(resource: Resource, { about, examples, act, members = [], flags = [], exits = [], tell }: ActRow): Command {
  return {
    about, examples, operands: [idOperand(resource)], flags: [...members.map(({ flag }) => flag), ...flags, dryRunFlag, urlFlag], exits: [...apiExits, ...exits],
    async run(context) {
      const id = wantedId(context, resource);
      const opened = openAccess(context);
      const attempted = `${act} the ${resource.one}`;
      const body = membersGiven(context.args, members, opened.installation.host.clock.now(), attempted);
      const reply = await send(context, opened, { method: 'POST', path: `/${resource.many}/${id}/${act}`, body, attempted, isRepeatable: true });
      return (reply === undefined ? undefined : await tell(context, reply.object, opened)) ?? exitCode.done;
    },
  };
}

/** Sends it, or with --dry-run prints it and gives undefined. */
export async function send({ args, output }: CommandContext, { access }: Opened, question: ApiQuestion): Promise<ApiReply | undefined> {
  if (!args.on('dry-run')) return access.ask(question);
  const { method, path, body, ifMatch } = question;
  if (output.json) output.value({ method, path: `/api/v2${path}`, ...(body === undefined ? {} : { body }), ...(ifMatch === undefined ? {} : { if_match: ifMatch }) });
  else {
    output.line(`${method} /api/v2${path}`);
    if (body !== undefined) output.line(printableJson(body));
  }
  output.note(`Nothing was sent to ${printable(access.where)}.`);
  return undefined;
}

function printableJson(body: JsonObject): string {
  return JSON.stringify(body, undefined, 2).split('\n').map(printable).join('\n');
}

function matching(tag: string | undefined): { readonly ifMatch?: string } {
  return tag === undefined ? {} : { ifMatch: tag };
}
