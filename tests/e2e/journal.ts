import type { JournalItem } from '@assay/core/contracts/wire/account'
import type { Api } from './api.ts'

/** Records after `aseq` (-1: all), read page by page. */
export async function readJournal(api: Api, id: string, aseq = -1, limit = 500): Promise<JournalItem[]> {
  const items: JournalItem[] = []
  let query = aseq < 0 ? '' : `&cursor=${aseq}`
  for (;;) {
    const page = await api.get<{ items: JournalItem[]; next: string | null }>(
      `/api/assessments/${id}/journal?limit=${limit}${query}`,
    )
    items.push(...page.items)
    if (page.next === null) return items
    query = `&cursor=${page.next}`
  }
}
