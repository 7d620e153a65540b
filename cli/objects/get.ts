/** `loki … get`: one object, its members one below the other, or as JSON. */
import { exitCode } from '../../lib/errors.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import type { Command, CommandContext, Example } from '../command.ts';
import { columns, printable } from '../output.ts';
import { apiExits, idOperand, openAccess, urlFlag, wantedId } from './access.ts';
import { textOf, type Resource } from './resource.ts';

export function getCommand(resource: Resource, { about, examples }: { readonly about: string; readonly examples: readonly Example[] }): Command {
  return {
    about, examples, operands: [idOperand(resource)], flags: [urlFlag], exits: apiExits,
    async run(context) {
      const id = wantedId(context, resource);
      const { object } = await openAccess(context).access.ask({ method: 'GET', path: `/${resource.many}/${id}`, attempted: `show the ${resource.one}` });
      printObject(context, object);
      return exitCode.done;
    },
  };
}

export function printObject({ output }: CommandContext, object: JsonObject): void {
  if (output.json) return output.value(object);
  for (const line of memberLines(object)) output.line(line);
}

/** Label and value, what is empty left out. Texts of several lines stand below their label. */
export function memberLines(object: JsonObject): readonly string[] {
  const told = Object.keys(object).filter((name) => textOf(object, name) !== '');
  const rows = told.map((name) => {
    const text = textOf(object, name);
    return text.includes('\n') ? [printable(name), ''] : [printable(name), printable(text)];
  });
  return columns(rows).flatMap((line, at) => {
    const text = textOf(object, told[at] ?? '');
    return text.includes('\n') ? [line, ...text.split('\n').map((each) => `  ${printable(each)}`)] : [line];
  });
}
