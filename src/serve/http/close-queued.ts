/**
 * Answers of one connection go out in the order in which they were asked for, and those behind the first wait for their turn
 * ("pipelining"). Where the connection ends, Node tells only the answer whose turn it is; the others would be waited for, and
 * counted as in flight, until the process ends. And whoever takes no answer could hold as many as fit into one chunk of the network's.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Emitted by an answer that waits for its turn once it is complete: nothing is left to do for it but to send it. */
export const handedOver = Symbol('handedOver');

const waitingOn = new WeakMap<Socket, Set<ServerResponse>>();
/** On one connection. No client sends as many ahead of their answers, and each takes some kilobytes. */
const waitingMax = 500;

/**
 * To be called as a request comes: from then on its answer emits `close`, as any other does, when its connection ends. false: too
 * many wait, and the connection has been ended.
 */
export function closeQueued(socket: Socket, res: ServerResponse): boolean {
  // It has the connection, as every answer of an ordinary caller does from its beginning.
  if (res.socket !== null) return true;
  const waiting = waitingOn.get(socket) ?? startWatch(socket);
  if (waiting.size >= waitingMax) {
    socket.destroy();
    return false;
  }
  waiting.add(res);
  res.once('close', () => waiting.delete(res));
  tellWhenComplete(res);
  return true;
}

/** Node's own `finish` comes only when all of it has been taken by the network. */
function tellWhenComplete(res: ServerResponse): void {
  const end = res.end;
  res.end = ((...given: Parameters<typeof end>) => {
    const ended = end.apply(res, given);
    res.emit(handedOver);
    return ended;
  }) as typeof end;
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
