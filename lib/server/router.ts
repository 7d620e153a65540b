/**
 * Finds the route of a path. A tree of segments, literals before parameters; where a literal leads to nothing the parameter
 * is tried, so the order of the table means nothing. Two rows that could answer the same request are refused at start.
 */
import { LokiError } from '../errors.ts';
import type { Route } from './message.ts';

export type RouteMatch =
  | { readonly kind: 'found'; readonly route: Route; readonly params: ReadonlyMap<string, string> }
  /** The path exists, the method does not; `allowed` is the value of `Allow`. */
  | { readonly kind: 'method'; readonly allowed: string }
  | { readonly kind: 'unknown' };

interface Node {
  readonly literals: Map<string, Node>;
  parameter: Node | undefined;
  readonly routes: Map<string, { readonly route: Route; readonly names: readonly string[] }>;
}

export type Router = (method: string, path: string) => RouteMatch;

export function createRouter(routes: readonly Route[]): Router {
  const root = emptyNode();
  for (const route of routes) add(root, route);
  return (method, path) => {
    const node = find(root, path.slice(1).split('/'), 0);
    if (node === undefined) return { kind: 'unknown' };
    const found = node.end.routes.get(method === 'HEAD' ? 'GET' : method);
    if (found === undefined) return { kind: 'method', allowed: allowed(node.end) };
    return { kind: 'found', route: found.route, params: new Map(found.names.map((name, at) => [name, node.values[at] ?? ''])) };
  };
}

function emptyNode(): Node {
  return { literals: new Map(), parameter: undefined, routes: new Map() };
}

function add(root: Node, route: Route): void {
  let node = root;
  const names: string[] = [];
  for (const segment of route.path.slice(1).split('/')) {
    let next = segment.startsWith(':') ? node.parameter : node.literals.get(segment);
    next ??= emptyNode();
    if (segment.startsWith(':')) {
      names.push(segment.slice(1));
      node.parameter = next;
    } else {
      node.literals.set(segment, next);
    }
    node = next;
  }
  if (node.routes.has(route.method)) {
    throw new LokiError('internal', { attempted: 'build the route table', found: `two rows answer ${route.method} ${route.path}` });
  }
  node.routes.set(route.method, { route, names });
}

/** Where the segments lead, with the values of the parameters on the way. The depth is that of the table, not of the path. */
function find(node: Node, segments: readonly string[], at: number): { readonly end: Node; readonly values: readonly string[] } | undefined {
  const segment = segments[at];
  if (segment === undefined) return node.routes.size === 0 ? undefined : { end: node, values: [] };
  const literal = node.literals.get(segment);
  const straight = literal === undefined ? undefined : find(literal, segments, at + 1);
  if (straight !== undefined || node.parameter === undefined || segment === '') return straight;
  const below = find(node.parameter, segments, at + 1);
  return below === undefined ? undefined : { end: below.end, values: [segment, ...below.values] };
}

function allowed(node: Node): string {
  const methods = [...node.routes.keys()];
  if (methods.includes('GET')) methods.push('HEAD');
  return [...methods, 'OPTIONS'].sort().join(', ');
}
