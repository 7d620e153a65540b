/** The thread that verification reads files on. Runs on its own; nothing imports it. */
import { serveFiles } from '../../audit/verify/pool.ts';
import { createHost } from '../../host/host.ts';
import { serveThread } from '../../host/threads.ts';

// No lock is taken here, so no LOKI_HOME is needed.
const { disk, timers } = createHost(() => '');
serveThread(serveFiles(disk, timers));
