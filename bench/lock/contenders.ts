import {
  type StartServer,
  startCentralFifo,
  startEtcd,
  startPostgres,
  startRedis,
} from './servers/servers.ts';

export interface Contender {
  readonly name: string;
  /** File name below `contenders/`. */
  readonly module: string;
  /** `null`: the processes talk to each other, or do not communicate. */
  readonly server: StartServer | null;
  /** All loops run in one process, because this lock does not span processes. */
  readonly isLocal?: boolean;
  /** The contender has only one lock, not one per name. */
  readonly hasOneLock?: boolean;
  /** Nothing of it outlives its processes. */
  readonly isFloor?: boolean;
}

export const contenders: readonly Contender[] = [
  { name: 'raw TCP token ring', module: 'token-ring', server: null, hasOneLock: true, isFloor: true },
  { name: 'async-mutex, one process', module: 'async-mutex', server: null, isLocal: true },
  { name: 'Baton', module: 'baton', server: null },
  { name: 'central FIFO server', module: 'central-fifo', server: startCentralFifo },
  { name: 'PostgreSQL advisory lock', module: 'postgres', server: startPostgres },
  { name: 'redis-semaphore', module: 'redis-semaphore', server: startRedis },
  { name: 'redlock', module: 'redlock', server: startRedis },
  { name: 'etcd3, lock() every 5 ms', module: 'etcd3', server: startEtcd },
];
