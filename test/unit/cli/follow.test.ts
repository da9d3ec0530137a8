import { expect, test } from 'vitest';
import { Interrupted } from '../../../cli/exit-code.js';
import { follow } from '../../../cli/follow.js';
import { createOutput } from '../../../cli/output.js';
import { linesOfDetails } from '../../../cli/workflow-lines.js';

function recorder() {
  const lines: string[] = [];
  const output = createOutput(
    { stdout: { write: () => true }, stderr: { write: (text) => lines.push(text.trim()) } },
    { json: false, env: {} },
  );
  return { lines, output };
}

test('each line of progress is printed once, and the last ones before the result is given back', async () => {
  const { lines, output } = recorder();
  let looks = 0;
  let finish: (value: string) => void = () => undefined;
  const result = new Promise<string>((resolve) => (finish = resolve));
  const look = async () => {
    looks += 1;
    if (looks === 1) finish('done');
    return looks === 1 ? ['snapshot'] : ['snapshot', 'train'];
  };
  await expect(
    follow({ output, signal: new AbortController().signal }, { result, look, interrupted: '' }),
  ).resolves.toBe('done');
  expect(lines).toEqual(['snapshot', 'train']);
});

test('Ctrl-C ends the waiting with what goes on without us', async () => {
  const { output } = recorder();
  const interrupt = new AbortController();
  const never = new Promise<string>(() => undefined);
  const waiting = follow(
    { output, signal: interrupt.signal },
    { result: never, look: async () => [], interrupted: 'Run 7 goes on.' },
  );
  interrupt.abort();
  await expect(waiting).rejects.toThrow(new Interrupted('Run 7 goes on.'));
});

test('Ctrl-C waits for no look that is under way, and what that finds is not said any more', async () => {
  const { lines, output } = recorder();
  const interrupt = new AbortController();
  let answer: (found: string[]) => void = () => undefined;
  const look = () => new Promise<string[]>((resolve) => (answer = resolve));
  const waiting = follow(
    { output, signal: interrupt.signal },
    { result: new Promise(() => undefined), look, interrupted: 'It goes on.' },
  );
  interrupt.abort();
  await expect(waiting).rejects.toThrow('It goes on.');
  answer(['too late']);
  await new Promise((resolve) => setImmediate(resolve));
  expect(lines).toEqual([]);
});

test('a failure to look is no failure of what is waited for', async () => {
  const { output } = recorder();
  const look = () => Promise.reject(new Error('the API is away'));
  await expect(
    follow({ output, signal: new AbortController().signal }, { result: Promise.resolve(5), look, interrupted: '' }),
  ).resolves.toBe(5);
});

test("a workflow's details become lines", () => {
  const details =
    '### Training flight-delay\n- ✓ snapshot of 3 partitions\n- … training\n\n#### Notes\n- ada: pause — accepted';
  expect(linesOfDetails(details)).toEqual(['✓ snapshot of 3 partitions', '… training', '· ada: pause — accepted']);
});
