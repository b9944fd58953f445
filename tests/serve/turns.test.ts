import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { createTurns } from '../../src/serve/turns.ts';
import { turnCounter } from '../support/turn-counter.ts';

test('the first has its turn at once; the others have one each, in their order', async () => {
  const turns = createTurns();
  const counter = turnCounter();
  const done: { piece: number; turn: number }[] = [];
  const pieces = Array.from({ length: 6 }, (_, piece) => {
    const turn = turns.next();
    if (piece === 0) expect(turn).toBeUndefined();
    return (turn ?? Promise.resolve()).then(() => done.push({ piece, turn: counter.turn }));
  });
  await Promise.all(pieces);
  counter.stop();
  expect(done.map(({ piece }) => piece)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(new Set(done.map(({ turn }) => turn)).size).toBe(6);
});

test('when all have been, the next has its turn at once again', async () => {
  const turns = createTurns();
  await Promise.all([turns.next(), turns.next()]);
  for (let n = 0; n < 3; n++) await new Promise(setImmediate);
  expect(turns.next()).toBeUndefined();
});

test('what comes over the network is heard between two pieces', async () => {
  const turns = createTurns();
  const server = createServer((peer) => {
    peer.on('error', () => {});
    peer.pipe(peer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const socket = connect(address.port, '127.0.0.1');
  await once(socket, 'connect');
  let done = 0;
  const doneAtReply: number[] = [];
  socket.on('data', () => {
    doneAtReply.push(done);
    if (done < pieces) socket.write('ping');
  });
  const pieces = 200;
  socket.write('ping');
  await Promise.all(
    Array.from({ length: pieces }, async () => {
      await turns.next();
      done++;
    }),
  );
  socket.destroy();
  server.close();
  // Worked on in one go, all would be done before the first reply was heard.
  expect(doneAtReply.filter((n) => n < pieces).length).toBeGreaterThan(2);
});
