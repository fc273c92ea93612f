/** What lies in the data folder that a verb speaks of, for verbs that cannot do without. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { type DataFolder, type Marker, readMarker } from '../data-folder.ts'
import type { Arguments } from './arguments.ts'
import { configFileOf } from './data-of.ts'
import { readConfig } from './read-config.ts'

export async function markerIn(data: DataFolder): Promise<Marker> {
  const marker = await readMarker(data)
  if (marker) return marker
  throw new KedgeError('STORE_MISSING', `there is no gateway in ${data.folder}`, {
    hint: 'kedge init makes one; --data DIR names another folder.',
  })
}

export async function configOf(args: Arguments, data: DataFolder) {
  const loaded = await readConfig(configFileOf(args), data.folder)
  if (loaded.faults === undefined) return loaded.config
  const [fault] = loaded.faults
  throw new KedgeError('CONFIG_INVALID', `${fault?.at}: ${fault?.error.message}`, {
    hint: 'kedge config check names every fault',
  })
}
