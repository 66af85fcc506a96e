import type { Progress, Server, ServerName, StartOptions } from '../server.ts'
import { installKafka, startKafka } from './kafka.ts'
import { installOpenbao, startOpenbao } from './openbao.ts'
import { installPostgres, startPostgres } from './postgres.ts'
import { installRedis, startRedis } from './redis.ts'
import { installVersitygw, startVersitygw } from './versitygw.ts'

interface Kind {
  /** of Assay's stack; tests take free ones */
  port: number
  stopSignal: NodeJS.Signals
  install(progress: Progress): Promise<unknown>
  start(options: StartOptions, progress?: Progress): Promise<Server>
}
export const SERVERS: Readonly<Record<ServerName, Kind>> = {
  postgres: { port: 25432, stopSignal: 'SIGINT', install: installPostgres, start: startPostgres },
  kafka: { port: 29092, stopSignal: 'SIGTERM', install: installKafka, start: startKafka },
  redis: { port: 26379, stopSignal: 'SIGTERM', install: installRedis, start: startRedis },
  openbao: { port: 28200, stopSignal: 'SIGTERM', install: installOpenbao, start: startOpenbao },
  versitygw: { port: 29000, stopSignal: 'SIGTERM', install: installVersitygw, start: startVersitygw },
}
