/** Loaded before the tests: what kills a mutant today kills it tomorrow. */
import fc from 'fast-check'

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 1 })
