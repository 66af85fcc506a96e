import type { Instrument } from '@assay/core/domain/instruments/instrument'
import type { PublishedInstrument } from '../deps.ts'

export type InstrumentResource = Instrument & { hash: string }
export const resourceOf = ({ document, hash }: PublishedInstrument): InstrumentResource => ({ ...document, hash })
