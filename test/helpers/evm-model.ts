import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'

/** What the anchor contract must do, written from DESIGN.md section 4 and not from the contract. */
export interface Model {
  /** Newest last. */
  readonly incarnations: Incarnation[]
}

export interface Incarnation {
  readonly number: number
  readonly admission: string
  readonly anchors: { readonly size: number; readonly head: string }[]
  account: string
  keyId: string
  cadence: number
  lastBlock: number
  rotatedIn: number | null
  offer: { readonly seq: number; readonly keyId: string; readonly account: string } | null
  readonly reports: Set<string>
  isFrozen: boolean
  isRevoked: boolean
}

/** The error by name, or what the contract publishes: nothing where it was so before. */
export type Expected = { readonly refused: string } | { readonly events: readonly string[] }

export interface Asked {
  readonly from: string
  readonly incarnation: number
  readonly block: number
}

const taken = (...events: string[]): Expected => ({ events })
const refused = (name: string): Expected => ({ refused: name })

export const newModel = (): Model => ({ incarnations: [] })

export const hex = (bytes: Uint8Array): string => bytesToHex(bytes)

export const incarnationOf = ({ incarnations }: Model, number: number): Incarnation | undefined =>
  incarnations.find((one) => one.number === number)

const unknown = (model: Model): Expected =>
  refused(model.incarnations.length === 0 ? 'Unregistered' : 'IncarnationUnknown')

/** Why nothing more is taken from an incarnation, or null. */
function closedBy(model: Model, of: Incarnation): Expected | null {
  if (of.isRevoked) return refused('IncarnationRevoked')
  if (model.incarnations.at(-1) !== of) return refused('IncarnationClosed')
  return of.isFrozen ? refused('IncarnationFrozen') : null
}

export function admit(
  model: Model,
  { from, incarnation, block }: Asked,
  {
    registrar,
    account,
    keyId,
    cadence,
  }: Record<'registrar' | 'account' | 'keyId', string> & { cadence: number },
): Expected {
  if (from !== registrar) return refused('NotTheRegistrar')
  const admission = `${account} ${keyId}`
  const known = incarnationOf(model, incarnation)
  if (known) return known.admission === admission ? taken() : refused('AdmittedOtherwise')
  const last = model.incarnations.at(-1)
  if (last && last.number > incarnation) return refused('IncarnationPassed')
  model.incarnations.push({
    number: incarnation,
    admission,
    account,
    keyId,
    cadence,
    anchors: [],
    lastBlock: block,
    rotatedIn: null,
    offer: null,
    reports: new Set(),
    isFrozen: false,
    isRevoked: false,
  })
  return last ? taken('Closed', 'Admitted') : taken('Admitted')
}

/** @param claim whether the proof is right is the caller's to know, who made it */
export function anchor(
  model: Model,
  { from, incarnation, block }: Asked,
  claim: { size: number; head: string; oldSize: number; oldHead: string; isProven: boolean },
): Expected {
  const of = incarnationOf(model, incarnation)
  if (!of) return unknown(model)
  const { size, head, oldSize, oldHead, isProven } = claim
  if (size === 0) return refused('NotASize')
  const last = of.anchors.at(-1)
  if (last && size < last.size) return refused('Covered')
  if (last && size === last.size) return head === last.head ? taken() : refused('Conflict')
  if (from !== of.account) return refused('NotTheAccount')
  const closed = closedBy(model, of)
  if (closed) return closed
  if (oldSize !== (last?.size ?? 0)) return refused('Lapsed')
  if (last && oldHead !== last.head) return refused('Conflict')
  if (!isProven) return refused('NoExtension')
  of.anchors.push({ size, head })
  of.lastBlock = block
  return taken('Anchored')
}

interface Rotation {
  readonly seq: number
  readonly keyId: string
  readonly account: string
}

const isRotated = (of: Incarnation, { seq, keyId, account }: Rotation) =>
  of.rotatedIn === seq && of.keyId === keyId && of.account === account

export function rotate(model: Model, { from, incarnation }: Asked, rotation: Rotation): Expected {
  const of = incarnationOf(model, incarnation)
  if (!of) return unknown(model)
  const { seq, keyId, account } = rotation
  if (isRotated(of, rotation)) return taken()
  if (from !== of.account) return refused('NotTheAccount')
  const closed = closedBy(model, of)
  if (closed) return closed
  if (of.rotatedIn !== null && seq <= of.rotatedIn) return refused('RotationLapsed')
  if (keyId === of.keyId) return refused('KeyInUse')
  const { offer } = of
  if (offer && offer.seq === seq && offer.keyId === keyId && offer.account === account)
    return taken()
  if (account !== from) {
    of.offer = rotation
    return taken('RotationSigned', 'RotationOffered')
  }
  complete(of, rotation)
  return taken('RotationSigned', 'Rotated')
}

export function accept(
  model: Model,
  { from, incarnation }: Asked,
  { seq, keyId }: Omit<Rotation, 'account'>,
): Expected {
  const of = incarnationOf(model, incarnation)
  if (!of) return unknown(model)
  const rotation = { seq, keyId, account: from }
  if (isRotated(of, rotation)) return taken()
  const closed = closedBy(model, of)
  if (closed) return closed
  if (of.rotatedIn !== null && seq <= of.rotatedIn) return refused('RotationLapsed')
  const { offer } = of
  const isOffered = offer?.seq === seq && offer.keyId === keyId && offer.account === from
  if (!isOffered) return refused('RotationNotOffered')
  complete(of, rotation)
  return taken('Rotated')
}

function complete(of: Incarnation, { seq, keyId, account }: Rotation): void {
  of.rotatedIn = seq
  of.keyId = keyId
  of.account = account
  of.offer = null
}

export function report(model: Model, { incarnation }: Asked, name: string): Expected {
  const of = incarnationOf(model, incarnation)
  if (!of) return unknown(model)
  if (of.reports.has(name)) return taken()
  of.reports.add(name)
  return taken('ForkReported')
}

/** What only the registrar may ask of an incarnation that is there. */
export function byRegistrar(
  model: Model,
  { from, incarnation }: Asked,
  registrar: string,
  order: { freeze: string } | { cadence: number } | 'revoke',
): Expected {
  if (from !== registrar) return refused('NotTheRegistrar')
  const of = incarnationOf(model, incarnation)
  if (!of) return unknown(model)
  if (order === 'revoke') {
    if (of.isRevoked) return taken()
    of.isRevoked = true
    return taken('Revoked')
  }
  if ('cadence' in order) {
    of.cadence = order.cadence
    return taken('CadenceSet')
  }
  if (!of.reports.has(order.freeze)) return refused('NotReported')
  if (of.isFrozen) return taken()
  of.isFrozen = true
  return taken('Frozen')
}
