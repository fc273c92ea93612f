/** Fetches a ledger's proof of an anchor, and keeps it only where a verifier will say that it holds. */
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import type { LedgerProof } from '../../anchor-client/evidence/model.ts'
import { proofKinds } from '../../anchor-client/evidence/proofs/index.ts'
import type { Checkpoint } from '../../anchor-client/evidence/seal.ts'
import type { LedgerSession } from '../../anchor-client/ledgers/ledger.ts'
import { asked } from './asked.ts'

type FetchedProof =
  | { readonly state: 'proved'; readonly proof: LedgerProof }
  /** To be asked for again. */
  | { readonly state: 'unproved'; readonly why: string; readonly isAmiss: boolean }

export async function fetchProof(
  session: LedgerSession,
  ledgerId: Uint8Array,
  checkpoint: Checkpoint,
  signal: AbortSignal,
): Promise<FetchedProof> {
  const answer = await asked(signal, (until) => session.prove(checkpoint, until))
  switch (answer.state) {
    case 'unknown':
      return { state: 'unproved', why: answer.why, isAmiss: false }
    case 'fault':
      return { state: 'unproved', why: answer.why, isAmiss: true }
    case 'absent':
      return amiss('it does not know the anchor that it said was final')
    case 'proved':
      return judged({ kind: answer.kind, proof: answer.proof }, ledgerId, checkpoint)
  }
}

function judged(proof: LedgerProof, ledgerId: Uint8Array, checkpoint: Checkpoint): FetchedProof {
  const kind = proofKinds.find((one) => one.kind === proof.kind)
  if (kind === undefined) return amiss(`proofs of kind ${proof.kind} are not known here`)
  const judgement = kind.judgeAnchor(proof.proof, checkpoint)
  if (!judgement.holds) return amiss(`its proof does not hold: ${judgement.why}`)
  // A chain's proof does not say by itself which ledger it is of: the session has compared it with its own.
  const isOther = judgement.ledgerId !== null && judgement.ledgerId !== bytesToHex(ledgerId)
  if (isOther) return amiss("its proof is another ledger's")
  return { state: 'proved', proof }
}

const amiss = (why: string): FetchedProof => ({ state: 'unproved', why, isAmiss: true })
