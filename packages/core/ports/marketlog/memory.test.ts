import { marketLogContract } from './contract.ts'
import { createMemoryLog } from './memory.ts'

marketLogContract('memory', async () => ({ log: createMemoryLog(), dispose: async () => {} }))
