/** The metrics of a process: the table of names, and a registry of it. */
import { metricNames } from './metric-names.ts';
import { createRegistry, type MetricTable, type Registry } from './registry.ts';

/** The table as data, for those who look at it. */
export const metricTable: MetricTable = metricNames;

/** The registry of a process. */
export type Metrics = Registry<typeof metricNames>;

/** `startTime`: as of `createRegistry`. */
export function createMetrics(startTime?: number): Metrics {
  return createRegistry(metricNames, startTime);
}
