import {
  type StartServer,
  startCentralFifo,
  startEtcd,
  startPostgres,
  startRedis,
} from './servers/servers.ts';

export interface Contender {
  readonly name: string;
  /** Below `contenders/`. */
  readonly module: string;
  /** `null`: the processes talk to each other, or to nobody. */
  readonly server: StartServer | null;
  /** All loops in one process: it knows no other. */
  readonly isLocal?: boolean;
  /** Of many names it has one. */
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
