import { evmProofs } from './evm.ts'
import type { ProofKind } from './proof.ts'
import { witnessProofs } from './witness.ts'

export const proofKinds: readonly ProofKind[] = [witnessProofs, evmProofs]
