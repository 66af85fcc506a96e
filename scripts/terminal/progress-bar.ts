const WIDTH = 30
const EVERY_MS = 100

/** A bar on standard error, on a terminal only; it is gone when it ends. */
export function progressBar(label: string): { update: (done: { bytes: number; of: number }) => void; end: () => void } {
  const shown = process.stderr.isTTY
  let last = 0
  return {
    update({ bytes, of }) {
      const now = performance.now()
      if (!shown || now - last < EVERY_MS) return
      last = now
      const share = of === 0 ? 1 : Math.min(1, bytes / of)
      const full = Math.round(share * WIDTH)
      process.stderr.write(`\r${label} [${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${Math.round(share * 100)} %`)
    },
    end() {
      if (shown && last > 0) process.stderr.write('\r\x1b[K')
    },
  }
}
