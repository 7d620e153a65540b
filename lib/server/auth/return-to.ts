/** Where a browser goes after signing in: a path of this control plane, and nothing that any browser could read as another place. */

/** A path with at most a query: one slash first, then no character that browsers treat as one, drop, or end the host with. */
const shape = /^\/(?![/\\])[A-Za-z0-9._~:@/?&=%+,;!$'()*-]*$/;
const longest = 1024;

/** Whether it is safe to send a browser there. */
export function isLocalPath(text: string): boolean {
  if (text.length > longest || !shape.test(text) || text.includes('//')) return false;
  const base = 'https://control-plane.invalid';
  return URL.canParse(text, base) && new URL(text, base).origin === base;
}
