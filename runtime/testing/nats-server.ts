import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { freePort } from './free-ports.ts';

/** Debian puts the program where only root looks for it. */
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };

/** `null`: this machine has no `nats-server`. */
export const natsVersion =
  spawnSync('nats-server', ['--version'], { env, encoding: 'utf8' }).stdout?.trim() ?? null;
if (natsVersion === null)
  console.warn('skipped: no nats-server on this machine (Debian: apt-get install nats-server)');

/** A NATS server on loopback, and the connections to it. */
export class NatsServer {
  readonly url: string;
  readonly #port: number;
  readonly #args: readonly string[];
  #child!: ChildProcess;
  readonly #connections: NatsConnection[] = [];

  private constructor(port: number, args: readonly string[]) {
    this.url = `127.0.0.1:${port}`;
    this.#port = port;
    this.#args = args;
  }

  static async start(args: readonly string[] = []): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), args);
    await server.#run();
    return server;
  }

  /** Ends the server at once, and starts it again at its port. */
  async restart(): Promise<void> {
    await this.#kill();
    await this.#run();
  }

  async #run(): Promise<void> {
    const child = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(this.#port), ...this.#args], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`nats-server has ended: ${said}`)));
      child.stderr!.on('data', (chunk: Buffer) => {
        said += chunk;
        if (said.includes('Server is ready')) resolve();
      });
    });
  }

  async #kill(): Promise<void> {
    this.#child.removeAllListeners('exit');
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async connect(options: NodeConnectionOptions = {}): Promise<NatsConnection> {
    const connection = await connect({ servers: this.url, ...options });
    this.#connections.push(connection);
    return connection;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
    await this.#kill();
  }
}
