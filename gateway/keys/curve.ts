import { openSm2, type Sm2 } from './sm2.ts'

/** The curves that a key file may be of: the gateway's own, and that of accounts on an EVM chain. */
export const algorithms = ['SM2', 'secp256k1'] as const
export type Algorithm = (typeof algorithms)[number]

export type Curve = Pick<Sm2, 'generate' | 'publicKeyOf' | 'signer'>

export async function openCurve(algorithm: Algorithm): Promise<Curve> {
  if (algorithm === 'SM2') return openSm2()
  // Most gateways have no account on a chain.
  const { chainCurve } = await import('./secp256k1.ts')
  return chainCurve
}
