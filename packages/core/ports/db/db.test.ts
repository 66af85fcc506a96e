import { describeAdapters } from '../../testing/adapters.ts'
import { testDatabase } from '../../testing/database.ts'
import { dbContract } from './contract.ts'

describeAdapters('db', { embedded: testDatabase }, dbContract)
