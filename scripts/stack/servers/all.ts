import type { Addresses, Progress, Server, ServerName, StartOptions } from '../server.ts'
import { answersKafka, installKafka, startKafka } from './kafka.ts'
import { answersOpenbao, installOpenbao, startOpenbao } from './openbao.ts'
import { answersPostgres, installPostgres, startPostgres } from './postgres.ts'
import { answersRedis, installRedis, startRedis } from './redis.ts'
import { answersVersitygw, installVersitygw, startVersitygw } from './versitygw.ts'

interface Kind {
  /** of Assay's stack; tests take free ones */
  port: number
  install(progress: Progress): Promise<unknown>
  start(options: StartOptions, progress?: Progress): Promise<Server>
  /** healthy, as its own protocol says; of the variables that point at it */
  answers(addresses: Addresses): Promise<boolean>
}
export const SERVERS: Readonly<Record<ServerName, Kind>> = {
  postgres: { port: 25432, install: installPostgres, start: startPostgres, answers: answersPostgres },
  kafka: { port: 29092, install: installKafka, start: startKafka, answers: answersKafka },
  redis: { port: 26379, install: installRedis, start: startRedis, answers: answersRedis },
  openbao: { port: 28200, install: installOpenbao, start: startOpenbao, answers: answersOpenbao },
  versitygw: { port: 29000, install: installVersitygw, start: startVersitygw, answers: answersVersitygw },
}
