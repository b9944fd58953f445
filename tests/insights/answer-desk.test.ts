import { expect, test } from 'vitest';
import { createAnswerDesk } from '../../src/insights/answer-desk.ts';

/** A desk whose work ends when the test says so; a second passes with each. */
function slowDesk(limits: { answersMax?: number; waitingMax?: number; joiningMax?: number } = {}) {
  const clock = { now: 0, state: 'one' };
  const begun: string[] = [];
  const finish: (() => void)[] = [];
  const desk = createAnswerDesk<string, string>({
    ...limits,
    now: () => clock.now,
    stateOf: () => clock.state,
    work: async (question, signal) => {
      begun.push(question);
      await new Promise<void>((resolve, reject) => {
        finish.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason));
      });
      clock.now += 1000;
      return `${question} ${begun.length}`;
    },
  });
  const finishNext = async () => {
    await expect.poll(() => finish.length).toBeGreaterThan(0);
    finish.shift()?.();
  };
  return { clock, begun, desk, finishNext };
}

test('who asks the same meanwhile gets the same answer, worked out once', async () => {
  const { begun, desk, finishNext } = slowDesk();
  const asked = [desk.ask('churn'), desk.ask('churn'), desk.ask('churn')];
  await finishNext();
  const answers = await Promise.all(asked);
  expect(answers.map(({ answer }) => answer)).toEqual(['churn 1', 'churn 1', 'churn 1']);
  expect(begun).toEqual(['churn']);
});

test('one question after the other', async () => {
  const { begun, desk, finishNext } = slowDesk();
  const first = desk.ask('a');
  const second = desk.ask('b');
  await expect.poll(() => begun).toEqual(['a']);
  await finishNext();
  await first;
  await expect.poll(() => begun).toEqual(['a', 'b']);
  await finishNext();
  expect((await second).answer).toBe('b 2');
});

test('an answer is kept while the data stays the same, and ten times as long as it took where it grows', async () => {
  const { clock, begun, desk, finishNext } = slowDesk();
  const first = desk.ask('a');
  await finishNext();
  expect(await first).toMatchObject({ computedAt: 1000 });
  clock.now = 1e9;
  await desk.ask('a');
  expect(begun).toHaveLength(1);
  clock.state = 'two';
  clock.now = 1000 + 10 * 1000 - 1;
  await desk.ask('a');
  expect(begun).toHaveLength(1);
  clock.now += 1;
  const again = desk.ask('a');
  await finishNext();
  await again;
  expect(begun).toHaveLength(2);
});

test('an answer that must not be old goes with the data that it was read from', async () => {
  const clock = { now: 0, state: 'empty' };
  const desk = createAnswerDesk<string, string | undefined>({
    now: () => clock.now,
    stateOf: () => clock.state,
    mayBeOld: (found) => found !== undefined,
    work: async () => {
      clock.now += 1000;
      return clock.state === 'empty' ? undefined : clock.state;
    },
  });
  expect((await desk.ask('a')).answer).toBeUndefined();
  expect(await desk.ask('a')).toEqual(await desk.ask('a'));
  expect(clock.now).toBe(1000);
  clock.state = 'full';
  expect((await desk.ask('a')).answer).toBe('full');
  clock.state = 'fuller';
  expect((await desk.ask('a')).answer).toBe('full');
});

test('questions that cannot wait are refused, those before them are not', async () => {
  const { desk, finishNext } = slowDesk({ waitingMax: 1 });
  const asked = [desk.ask('a'), desk.ask('b')];
  await expect(desk.ask('c')).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfterSeconds: 10 });
  // The same as one that waits already costs nothing.
  asked.push(desk.ask('b'));
  await finishNext();
  await finishNext();
  expect(await Promise.all(asked)).toHaveLength(3);
});

test('no more than so many wait for the same answer; once it is there, anybody has it', async () => {
  const { desk, finishNext } = slowDesk({ joiningMax: 2 });
  const asked = [desk.ask('a'), desk.ask('a'), desk.ask('a')];
  const tooMany = { code: 'TOO_MANY_REQUESTS', retryAfterSeconds: 10 };
  await expect(desk.ask('a')).rejects.toMatchObject(tooMany);
  asked.push(desk.ask('b'));
  await finishNext();
  await asked[0];
  expect((await desk.ask('a')).answer).toBe('a 1');
  await finishNext();
  expect(await Promise.all(asked)).toHaveLength(4);
});

test('no more than so many answers are kept, those asked for last', async () => {
  const { begun, desk, finishNext } = slowDesk({ answersMax: 1 });
  for (const question of ['a', 'b', 'a']) {
    const asked = desk.ask(question);
    await finishNext();
    await asked;
  }
  expect(begun).toEqual(['a', 'b', 'a']);
});

test('a failure is nobody’s answer but theirs who waited for it', async () => {
  let fail = true;
  const desk = createAnswerDesk<string, string>({
    now: () => 0,
    stateOf: () => 'one',
    work: async () => {
      if (fail) throw new Error('broken');
      return 'well';
    },
  });
  await expect(desk.ask('a')).rejects.toThrow('broken');
  fail = false;
  expect((await desk.ask('a')).answer).toBe('well');
});

test('closing ends what is under way and what waits', async () => {
  const { begun, desk } = slowDesk();
  const asked = Promise.allSettled([desk.ask('a'), desk.ask('b')]);
  await expect.poll(() => begun).toEqual(['a']);
  await desk.close();
  expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(begun).toEqual(['a']);
});
