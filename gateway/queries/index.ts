import { anchors } from './anchors.ts'
import { backup } from './backup.ts'
import { check } from './check.ts'
import { exportReadings } from './export.ts'
import { importFile } from './import.ts'
import { prove } from './prove.ts'
import type { Query } from './query.ts'
import { rotate } from './rotate.ts'
import { shipment } from './shipment.ts'
import { status } from './status.ts'
import { trust } from './trust.ts'

/** By the name that goes over the socket. */
export const queries: Readonly<Record<string, Query>> = {
  prove,
  export: exportReadings,
  import: importFile,
  status,
  trust,
  shipment,
  anchors,
  rotate,
  check,
  backup,
}
