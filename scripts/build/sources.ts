import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const rooms = ['machines', 'statechart', 'runtime', 'verification', 'inspector/server', 'cli', 'harness'];
const isTest = /\.test\.ts$|\/testing\//;

/** Every module of the package, from the top of the checkout. */
export function sources(root: string): string[] {
  return rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .map((file) => join(room, file))
      .filter((file) => file.endsWith('.ts') && !isTest.test(file)),
  );
}
