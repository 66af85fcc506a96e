import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installOnce, onPath, step } from '../installed.ts'
import { type Progress, ServerMissingError } from '../server.ts'

const VERSION = '4.3.1'
const MIN_JAVA = 17
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'
/** Less processor at the start, which is most of what a test broker does. */
const LOW_CPU = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

export interface KafkaInstallation {
  version: string
  /** java and its flags; a main class and its arguments follow */
  java: string[]
  /** the same with the loaded classes from an archive, once it is made */
  archive: string
  libraries: string
}

/** Kafka's jars and its tools from Maven, pinned, in `.servers`. */
export async function installKafka(progress: Progress): Promise<KafkaInstallation> {
  const java = await javaVersion()
  if (java < MIN_JAVA)
    throw new ServerMissingError(
      'kafka',
      java ? `java on the PATH is ${java}` : 'java is not on the PATH',
      `install Java ${MIN_JAVA} or later (Debian: openjdk-17-jre-headless)`,
    )
  const libraries = await installOnce({ name: `kafka-${VERSION}`, progress }, async (making) => {
    if (!onPath('mvn')) throw new ServerMissingError('kafka', 'mvn is not on the PATH', 'install Maven (Debian: maven)')
    progress(`kafka: downloading ${VERSION} (54 MB)`)
    const pom = join(making, 'pom.xml')
    writeFileSync(pom, POM)
    await step(['mvn', '-q', '-B', '-f', pom, COPY, '-DincludeScope=runtime', `-DoutputDirectory=${making}`])
  })
  const archive = `${libraries}-java-${java}.jsa`
  return { version: VERSION, java: ['java', ...LOW_CPU, '-cp', `${libraries}/*`], archive, libraries }
}

async function javaVersion(): Promise<number> {
  const said = await step(['java', '-version']).catch(() => '')
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(said) ?? []
  return Number(first === '1' ? second : (first ?? 0))
}

/** kafka-tools: ProducerPerformance and its like, for benches. slf4j's binding prints what the broker says. */
const artifact = (group: string, name: string, version: string) =>
  `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`
const POM = `<project><modelVersion>4.0.0</modelVersion>
<groupId>assay</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${artifact('org.apache.kafka', 'kafka_2.13', VERSION)}
${artifact('org.apache.kafka', 'kafka-tools', VERSION)}
${artifact('org.apache.logging.log4j', 'log4j-slf4j-impl', '2.25.4')}
</dependencies></project>
`

/**
 * The classes a broker loads, in an archive that later starts map: half their processor time. Made once by `train`,
 * which runs a broker with the flag and ends it properly.
 */
export async function makeArchive(
  { archive }: KafkaInstallation,
  progress: Progress,
  train: (folder: string, flags: string[]) => Promise<void>,
): Promise<void> {
  if (existsSync(archive)) return
  await installOnce({ name: `${archive.split('/').at(-1)!}.made`, progress }, async (making) => {
    if (existsSync(archive)) return
    progress('kafka: making an archive of its classes (once)')
    const folder = mkdtempSync(join(tmpdir(), 'assay-kafka-'))
    try {
      mkdirSync(making, { recursive: true })
      await train(folder, [`-XX:ArchiveClassesAtExit=${archive}`])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
}
