/** Which gateway a verb speaks of. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type DataFolder, dataFolder } from '../data-folder.ts'
import type { Arguments } from './arguments.ts'
import { root, typedPath } from './paths.ts'

/** A clone brings its tests along; what is installed does not. */
const usualFolder = existsSync(join(root, 'test')) ? join(root, '.kedge') : '/var/lib/kedge'

export const dataOf = (args: Arguments): DataFolder =>
  dataFolder(typedPath(args.text('data') ?? usualFolder))

/** As it is named in faults: as the person typed it. */
export const configFileOf = (args: Arguments): string =>
  args.text('config') ?? join(args.text('data') ?? usualFolder, 'kedge.yaml')
