/**
 * Places named in the arguments of a tool that nothing is known about, such as one of an MCP server. Only texts that are
 * paths as a whole are told: a document that mentions a path is not one.
 */
import { looksLikePath } from './shell/operands.ts';

const mostValues = 20_000;
const mostPaths = 1000;

/** The paths, or undefined when there are too many values to look at. `content` is JSON, or one text. */
export function pathsInArguments(content: string): readonly string[] | undefined {
  const paths: string[] = [];
  const pending: unknown[] = [parsed(content)];
  for (let seen = 0; pending.length > 0; seen += 1) {
    if (seen > mostValues || paths.length > mostPaths) return undefined;
    const value = pending.pop();
    if (typeof value === 'string') {
      const path = value.trim().replace(/^file:\/\//i, '');
      if (looksLikePath(path) || /^\.[\w.-]+$/.test(path)) paths.push(path);
    } else if (typeof value === 'object' && value !== null) {
      for (const member of Object.values(value)) pending.push(member);
    }
  }
  return paths;
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}
