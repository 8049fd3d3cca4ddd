import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { freePort } from './free-ports.ts';

/** Debian puts the program where only root looks for it. */
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };

/** `null`: this machine has no `nats-server`. */
export const natsVersion =
  spawnSync('nats-server', ['--version'], { env, encoding: 'utf8' }).stdout?.trim() ?? null;

/** A NATS server on loopback, and the connections to it. */
export class NatsServer {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #connections: NatsConnection[] = [];

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  static async start(args: readonly string[] = []): Promise<NatsServer> {
    const port = await freePort();
    const child = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port), ...args], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`nats-server has ended: ${said}`)));
      child.stderr!.on('data', (chunk: Buffer) => {
        said += chunk;
        if (said.includes('Server is ready')) resolve();
      });
    });
    return new NatsServer(`127.0.0.1:${port}`, child);
  }

  async connect(options: { readonly user?: string; readonly pass?: string } = {}): Promise<NatsConnection> {
    const connection = await connect({ servers: this.url, ...options });
    this.#connections.push(connection);
    return connection;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
    this.#child.removeAllListeners('exit');
    this.#child.kill();
  }
}
