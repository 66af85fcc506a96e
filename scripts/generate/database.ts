import { templateCluster } from '@assay/core/ports/db/template'

// A migrated, empty database beside the dependencies: the first start copies it.
await templateCluster()
