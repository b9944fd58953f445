/** How a child process of the worker's ends: with the worker, and at once. What a job makes appears whole or not at all. */
export function endWithTheWorker(): void {
  // The worker is gone: another one will take the job up, this run is not to go on beside it.
  process.on('disconnect', () => process.exit(1));
  // It went while this file was being loaded, and that has been told already. BullMQ would tell the worker that it cannot tell
  // it anything, and that it cannot tell it that, for ever and at full speed.
  if (!process.connected) process.exit(1);
  // It went during arithmetic: what is told before the next look at the channel fails, telling of that fails too, and nothing
  // else has its turn between, not even the word that the channel is gone. What cannot be told ends the process.
  let isTelling = false;
  process.prependListener('uncaughtException', () => {
    if (isTelling) process.exit(1);
    isTelling = true;
  });
  // The worker ends and has given the job back. Nothing half done can be seen: what a job makes appears whole. Without a
  // listener the signal ends the process even in the middle of arithmetic, which no listener would interrupt.
  process.removeAllListeners('SIGTERM');
  // Ctrl-C reaches the whole process group; the worker decides, not BullMQ's own listener, which would wait for the job.
  process.removeAllListeners('SIGINT');
  process.on('SIGINT', () => {});
}
