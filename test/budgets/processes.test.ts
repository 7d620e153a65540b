/** Real processes on one ledger, killed at random while they report. */
import { test } from 'node:test';
import { assertCounted } from '../support/usage-crowd.ts';

test('processes that are killed and report again lose no report and count none twice; what is told is told once', { timeout: 120_000 }, () => assertCounted({ processes: 4, reports: 40, kills: 1 }));
