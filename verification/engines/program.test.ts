import { expect, it } from 'vitest';
import { type ProgramOptions, ran } from './program.ts';

const sleeps = ['-e', 'setTimeout(() => {}, 60_000)'];
const options: ProgramOptions = { engine: 'Node', folder: import.meta.dirname, missing: 'Node is missing.' };

it('tells why a program was stopped before its answer', async () => {
  const controller = new AbortController();
  const onStart = () => controller.abort(new Error('interrupted by SIGTERM'));
  await expect(
    ran(process.execPath, sleeps, { ...options, signal: controller.signal, onStart }),
  ).rejects.toMatchObject({
    code: 'ENGINE_FAILED',
    message: `ENGINE_FAILED: ${process.execPath} was stopped before its answer: interrupted by SIGTERM.`,
  });
});

it('tells a program that is missing, one that takes too long and one that is killed apart', async () => {
  await expect(ran('no-such-engine', [], options)).rejects.toMatchObject({
    code: 'ENGINE_MISSING',
    message: 'ENGINE_MISSING: Node is missing.',
  });
  await expect(ran(process.execPath, sleeps, { ...options, maxSeconds: 0.1 })).rejects.toThrow(
    'had not ended after 0.1 seconds',
  );
  const onStart = (pid: number) => process.kill(pid, 'SIGKILL');
  await expect(ran(process.execPath, sleeps, { ...options, onStart })).rejects.toThrow(
    'was ended by SIGKILL',
  );
});
