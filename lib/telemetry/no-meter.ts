/** Instruments that keep nothing, and a meter of them. */
import type { Counter, Gauge, Histogram, Meter } from './meter.ts';

const bound = { add: () => undefined, record: () => undefined };
const stop = (): void => undefined;

/** In place of any instrument. */
export const noInstrument: Counter & Gauge & Histogram = { ...bound, bind: () => bound };

export const noMeter: Meter = {
  createCounter: () => noInstrument, createUpDownCounter: () => noInstrument, createGauge: () => noInstrument, createHistogram: () => noInstrument,
  createObservableCounter: () => stop, createObservableUpDownCounter: () => stop, createObservableGauge: () => stop,
};
