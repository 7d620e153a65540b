/** Cost that grows with the input and not with its square, whatever machine it runs on. */
import assert from 'node:assert/strict';
import { fastest } from './policy.ts';

/** Four times the input may take at most seven times as long, beyond a floor for what else the machine does. */
export function linear(run: (size: number) => void, size: number): void {
  const seen: string[] = [];
  // A crowded machine can spoil one look; what really grows with the square spoils every one.
  for (let look = 0; look < 6; look += 1) {
    const small = fastest(() => run(size), 3);
    const large = fastest(() => run(size * 4), look < 2 ? 1 : 3);
    if (large <= 7 * small + 15) return;
    seen.push(`${size}: ${small.toFixed(2)} ms, ${size * 4}: ${large.toFixed(2)} ms`);
  }
  assert.fail(seen.join('; '));
}
