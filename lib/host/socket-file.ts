/** Whether a program listens at a socket file of this machine. Connects, says nothing, and goes. */
import * as net from 'node:net';
import { systemCode } from '../errors.ts';

/** What a connection to a file says when nobody listens there: it was left by one that is gone, or is no socket. */
const nobody: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTSOCK']);

/** One that is too busy to answer, or that we may not reach, is there. */
export function socketLives(path: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    const settle = (lives: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(lives);
    };
    const timer = setTimeout(() => settle(true), timeoutMs);
    socket.once('connect', () => settle(true));
    socket.once('error', (error) => settle(!nobody.has(systemCode(error) ?? '')));
  });
}
