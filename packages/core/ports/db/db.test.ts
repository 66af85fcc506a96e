import { describeAdapters } from '../../testing/adapters.ts'
import { databases } from '../../testing/database.ts'
import { dbContract } from './contract.ts'

describeAdapters('db', databases, dbContract)
