/**
 * What Claude Code takes of a settings file. One member of another shape, wherever it stands, and it leaves out the whole file without a
 * word, hooks too. Only what is known here is vouched for: what Claude knows besides, with a value it does not take, drops the file as well.
 */
import { isPlainObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { shapeProblems } from './json-hooks.ts';
import { hookShapes } from './wanted.ts';

type Test = (value: JsonValue) => boolean;

const isText: Test = (value) => typeof value === 'string';
const isSwitch: Test = (value) => typeof value === 'boolean';
const isTexts: Test = (value) => Array.isArray(value) && value.every((item: JsonValue) => isText(item));
const isTextsByName: Test = (value) => isPlainObject(value) && Object.values(value).every(isText);
const isOneOf = (...words: readonly string[]): Test => (value) => typeof value === 'string' && words.includes(value);

const members: Readonly<Record<string, Test>> = {
  $schema: isOneOf('https://json.schemastore.org/claude-code-settings.json'),
  hooks: isHooks, permissions: (value) => isPlainObject(value) && unknownIn(value, permissions) === undefined, env: isTextsByName, disableAllHooks: isSwitch,
  model: isText, outputStyle: isText, language: isText,
  includeCoAuthoredBy: isSwitch, enableAllProjectMcpServers: isSwitch, alwaysThinkingEnabled: isSwitch, spinnerTipsEnabled: isSwitch,
  enabledMcpjsonServers: isTexts, disabledMcpjsonServers: isTexts,
};

const permissions: Readonly<Record<string, Test>> = {
  allow: isTexts, deny: isTexts, ask: isTexts, additionalDirectories: isTexts,
  defaultMode: isOneOf('acceptEdits', 'bypassPermissions', 'default', 'dontAsk', 'plan'), disableBypassPermissionsMode: isOneOf('disable'),
};

const handler: Readonly<Record<string, Test>> = {
  type: isOneOf('command'), command: isText, timeout: (value) => typeof value === 'number' && value > 0, onFailure: isOneOf('block', 'continue'),
};

function isHooks(value: JsonValue): boolean {
  if (shapeProblems({ hooks: value }, hookShapes.claude).length > 0 || !isPlainObject(value)) return false;
  return Object.values(value).every((list) => Array.isArray(list) && list.every((group: unknown) => isPlainObject(group) && Array.isArray(group['hooks']) && group['hooks'].every((each: unknown) => isPlainObject(each) && unknownIn(each, handler) === undefined)));
}

/** A member of another shape than Claude takes; one that is not known here is none. */
export function wrongMember(settings: JsonObject): string | undefined {
  const given = settings['permissions'];
  return wrongIn(settings, { env: isTextsByName }) ?? (isPlainObject(given) ? wrongIn(given, permissions) : given === undefined ? undefined : 'permissions');
}

function wrongIn(value: object, tests: Readonly<Record<string, Test>>): string | undefined {
  return Object.entries(value).find(([name, member]) => Object.hasOwn(tests, name) && tests[name]?.(member as JsonValue) !== true)?.[0];
}

/** A member that nobody here can vouch for. */
export function doubtfulMember(settings: JsonObject): string | undefined {
  return unknownIn(settings, members);
}

function unknownIn(value: object, tests: Readonly<Record<string, Test>>): string | undefined {
  return Object.entries(value).find(([name, member]) => !Object.hasOwn(tests, name) || tests[name]?.(member as JsonValue) !== true)?.[0];
}
