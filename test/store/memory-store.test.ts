import { createMemoryStore } from '../support/memory-store.ts';
import { storeSuite } from './store-suite.ts';

storeSuite('memory', async (options) => createMemoryStore(options));
