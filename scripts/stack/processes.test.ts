import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { identityOf } from './processes.ts'

test.skipIf(process.platform !== 'linux')(
  'a process whose first thread has ended is there until the others have: they hold its ports',
  async () => {
    const program = `
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
ctypes.CDLL(None).pthread_exit(None)`
    const child = Bun.spawn(['python3', '-c', program], { stdout: 'ignore', stderr: 'ignore' })
    const before = identityOf(child.pid)
    for (const end = performance.now() + 5_000; stateLetter(child.pid) !== 'Z'; await Bun.sleep(5))
      if (performance.now() > end) throw new Error('the first thread has not ended')
    expect(before).toBeString()
    expect(identityOf(child.pid)).toBe(before!)
    child.kill('SIGKILL')
    await child.exited
    expect(identityOf(child.pid)).toBeUndefined()
  },
)
const stateLetter = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)![0]
