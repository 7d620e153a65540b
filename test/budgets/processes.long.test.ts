/** The crowd at full size: eight processes of two hundred reports, each killed three times. */
import { test } from 'node:test';
import { assertCounted } from '../support/usage-crowd.ts';

test('eight processes with two hundred reports each, killed three times, are counted to the token', { timeout: 600_000 }, () => assertCounted({ processes: 8, reports: 200, kills: 3 }));
