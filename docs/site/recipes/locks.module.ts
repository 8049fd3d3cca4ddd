import { Global, Injectable, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Cluster, Held, RunOptions } from 'batonlock';
import { cluster } from './cluster.js';

@Injectable()
export class Locks implements OnModuleInit, OnApplicationShutdown {
  private joined?: Cluster;

  async onModuleInit(): Promise<void> {
    this.joined = await cluster();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.joined?.close();
  }

  run<T>(name: string, work: (held: Held) => Promise<T>, options?: RunOptions): Promise<T> {
    if (this.joined === undefined) throw new Error('the module is not initialized yet');
    return this.joined.lock(name).run(work, options);
  }
}

@Global()
@Module({ providers: [Locks], exports: [Locks] })
export class LocksModule {}
