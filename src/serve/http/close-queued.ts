/**
 * Answers of one connection go out in the order in which they were asked for, and those behind the first wait for their turn
 * ("pipelining"). Where the connection ends, Node tells only the answer whose turn it is; the others would be waited for, and
 * counted as in flight, until the process ends.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const waitingOn = new WeakMap<Socket, Set<ServerResponse>>();

/** To be called as a request comes: from then on its answer emits `close`, as any other does, when its connection ends. */
export function closeQueued(socket: Socket, res: ServerResponse): void {
  // It has the connection, as every answer of an ordinary caller does from its beginning.
  if (res.socket !== null) return;
  const waiting = waitingOn.get(socket) ?? startWatch(socket);
  waiting.add(res);
  res.once('close', () => waiting.delete(res));
}

function startWatch(socket: Socket): Set<ServerResponse> {
  const waiting = new Set<ServerResponse>();
  waitingOn.set(socket, waiting);
  socket.once('close', () => {
    for (const res of waiting) {
      if (res.closed) continue;
      // What is written to it from now on is let go.
      res.destroy();
      res.emit('close');
    }
    waiting.clear();
  });
  return waiting;
}
