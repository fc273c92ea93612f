import { KedgeError } from '../../evidence/errors.ts'
import { certificatesIn, fileNamed } from '../files.ts'
import { type EvmOptions, unprotected } from './options.ts'
import { openRpcNode, type RpcNode } from './rpc/node.ts'

/** The nodes that the configuration names, each with what it takes to be let in. */
export async function openNodes(options: EvmOptions): Promise<readonly RpcNode[]> {
  const open = unprotected(options)
  if (open !== undefined) {
    throw new KedgeError('CONFIG_INVALID', `${new URL(open).host} is spoken to in the clear`, {
      hint: 'Use https://, or say plainHttp: true where the network itself is protected.',
    })
  }
  const ca = options.ca === undefined ? undefined : await certificatesIn(options.ca)
  const authorization =
    options.authorization === undefined ? undefined : await headerIn(options.authorization)
  const { timeoutMs, maxBytes } = options
  return options.urls.map((url) => openRpcNode({ url, timeoutMs, maxBytes, ca, authorization }))
}

async function headerIn(path: string): Promise<string> {
  const text = (await fileNamed('authorization', path)).trim()
  if (/^[\x21-\x7e][\x20-\x7e]{0,4095}$/.test(text)) return text
  throw new KedgeError('FILE_UNREADABLE', `${path} holds no value of a header Authorization`)
}
