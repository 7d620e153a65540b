/** Whether the process lives, whether it can serve, and what it is. Health says nothing about what is inside. */
import type { Timers } from '../../ports.ts';
import type { Store } from '../../store/store.ts';
import type { Handler } from '../message.ts';
import { jsonResponse } from '../respond.ts';
import type { Services } from '../services.ts';

/** A store that takes longer than this to answer is not ready. */
const storePatienceMs = 2000;

export function live(): Handler {
  return async () => jsonResponse({ status: 'ok' });
}

/** 200 when requests can be served, 503 while draining or without the store. */
export function ready(services: Pick<Services, 'store' | 'timers'>, draining: () => boolean): Handler {
  return async () => {
    const fine = !draining() && await answers(services.store, services.timers);
    return jsonResponse({ status: fine ? 'ok' : 'unavailable' }, {}, fine ? 200 : 503);
  };
}

/** How much the installation does is for its administrators: a tenant, or whoever does not say who they are, could tell from it what others do. */
export function status(services: Pick<Services, 'status'>): Handler {
  return async ({ principal: { anonymous, tenant } }) => {
    const report = await services.status();
    const isOpen = report.authentication === 'off' || (!anonymous && tenant === null);
    return jsonResponse(isOpen ? report : { ...report, audit: { ...report.audit, last_seq: null }, event_streams: null });
  };
}

function answers(store: Store, timers: Timers): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = timers.after(storePatienceMs, () => resolve(false));
    const done = (fine: boolean): void => {
      cancel();
      resolve(fine);
    };
    store.revision().then(() => done(true), () => done(false));
  });
}
