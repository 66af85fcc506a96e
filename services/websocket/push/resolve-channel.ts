import { AssayError } from '@assay/core/contracts/errors'
import type { ChannelSource } from '@assay/core/kernel/channel'
import type { Hub } from './hub.ts'

export interface ResolvedChannel {
  /** canonical: what messages and unsubscribe name */
  channel: string
  source: ChannelSource
  key: string
}
/** `ticks:btc/usd` -> its source and canonical name. Throws not_found with the names there are. */
export async function resolveChannel(hub: Hub, requested: string): Promise<ResolvedChannel> {
  const colon = requested.indexOf(':')
  const name = colon < 0 ? requested : requested.slice(0, colon)
  const source = hub.sources().get(name)
  if (!source) {
    throw new AssayError(
      'not_found',
      `There is no channel ${name}; there are: ${[...hub.sources().keys()].sort().join(', ')}.`,
      { field: 'channels' },
    )
  }
  const key = await source.parse(colon < 0 ? '' : requested.slice(colon + 1))
  if (key === null)
    throw new AssayError('not_found', `${requested} is not a channel of ${name}.`, { field: 'channels' })
  return { channel: key === '' ? name : `${name}:${key}`, source, key }
}
