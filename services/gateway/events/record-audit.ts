export { recordAudit } from '@assay/core/kernel/audit'
