import { readArtefact } from '../../anchor-client/contracts/compile.ts'
import { addressOf, deployAnchor } from '../helpers/evm.ts'
import type { AbiInput } from '../helpers/evm-abi.ts'
import { naiveHistory } from '../helpers/evm-history.ts'
import { atMost, type Row } from './row.ts'

const topic = 'contract'

/** What a call costs on a chain, whole transaction, by London's prices: the same in every run. */
export async function* benchContract(): AsyncIterable<Row> {
  const [registrarKey, deviceKey, nextKey] = [1, 2, 3].map((number) =>
    new Uint8Array(32).fill(number),
  ) as [Uint8Array, Uint8Array, Uint8Array]
  const chain = await deployAnchor('keccak', { registrar: addressOf(registrarKey) })
  const history = naiveHistory(2)
  const random = naiveHistory(2, 'anything').rootAt
  const [gateway, keyId, nextKeyId] = [random(2), random(3), random(4)]
  const signature = [random(5), random(6)]
  const device = addressOf(deviceKey)
  const anchor = (from: number, to: number): Promise<number> => {
    const roots = [from, history.rootAt(from), to, history.rootAt(to)]
    const inputs = [gateway, 0, ...roots, history.proof(from, to), signature]
    return chain.gas(deviceKey, 'anchor', inputs)
  }
  const registrar = (name: string, ...inputs: AbiInput[]) =>
    chain.gas(registrarKey, name, [gateway, ...inputs])
  const row = (what: string, gas: number, limit: number): Row =>
    atMost(topic, what, gas, 'gas', limit)

  yield atMost(topic, 'runtime code', readArtefact().runtime.length / 2, 'bytes', 24_576)
  yield row('a gateway registered', await registrar('admit', 0, 2, device, keyId, 3600), 200_000)
  yield row('the first anchor', await anchor(0, 1), 90_000)
  yield row('an anchor of one header', await anchor(1, 2), 65_000)
  yield row('an anchor of ten headers', await anchor(2, 12), 70_000)
  await anchor(12, 10_011)
  yield row('an anchor of one header after 10,011', await anchor(10_011, 10_012), 85_000)
  yield row('the catch-up of 1,000 headers', await anchor(10_012, 11_012), 85_000)
  yield row('the same anchor again', await anchor(10_012, 11_012), 50_000)
  yield row('a smaller size, refused', await anchor(2, 12), 50_000)
  const rotation = [gateway, 0, 7, nextKeyId, addressOf(nextKey), signature, signature]
  yield row('a rotation offered', await chain.gas(deviceKey, 'rotate', rotation), 80_000)
  const accepted = await chain.gas(nextKey, 'acceptRotation', [gateway, 0, 7, nextKeyId])
  yield row('and accepted', accepted, 60_000)
  const roots = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  const report = [gateway, 0, 5, roots, signature, signature]
  yield row('a fork reported', await chain.gas(nextKey, 'reportFork', report), 80_000)
  yield row('a new incarnation', await registrar('admit', 1, 2, device, keyId, 3600), 220_000)
  yield row('an incarnation revoked', await registrar('revoke', 1), 50_000)
}
