import type { Case } from '../case.ts'
import { anchors } from './anchors.ts'
import { basics } from './basics.ts'
import { beacons } from './beacons.ts'
import { chainBeacons } from './chain-beacons.ts'
import { chainHeights } from './chain-heights.ts'
import { chainReceipts } from './chain-receipts.ts'
import { chainSeals } from './chain-seals.ts'
import { chains } from './chains.ts'
import { claims } from './claims.ts'
import { continuity } from './continuity.ts'
import { damage } from './damage.ts'
import { encoding } from './encoding.ts'
import { erasure } from './erasure.ts'
import { expectEdges } from './expect-edges.ts'
import { expectIndex } from './expect-index.ts'
import { expectJoined } from './expect-joined.ts'
import { expectTime } from './expect-time.ts'
import { forgedAnchors } from './forged-anchors.ts'
import { forgedChainHeaders } from './forged-chain-headers.ts'
import { forgedChainReceipts } from './forged-chain-receipts.ts'
import { forgedChainStates } from './forged-chain-states.ts'
import { forgedFields } from './forged-fields.ts'
import { forgedHistories } from './forged-histories.ts'
import { forgedNames } from './forged-names.ts'
import { forgedShipments } from './forged-shipments.ts'
import { forgedTrees } from './forged-trees.ts'
import { leaves } from './leaves.ts'
import { limits } from './limits.ts'
import { lives } from './lives.ts'
import { malformedFields } from './malformed-fields.ts'
import { malformedRecords } from './malformed-records.ts'
import { malformedStreams } from './malformed-streams.ts'
import { maxLag } from './max-lag.ts'
import { memberEdges } from './member-edges.ts'
import { misplacedLeaves } from './misplaced.ts'
import { privates } from './private.ts'
import { promises } from './promises.ts'
import { shapes } from './shapes.ts'
import { shipments } from './shipments.ts'
import { signatures } from './signatures.ts'
import { signers } from './signers.ts'
import { times } from './times.ts'
import { twinCases } from './twins.ts'

export const cases: readonly Case[] = [
  ...basics,
  ...leaves,
  ...misplacedLeaves,
  ...promises,
  ...shipments,
  ...forgedShipments,
  ...erasure,
  ...damage,
  ...expectIndex,
  ...expectTime,
  ...expectJoined,
  ...maxLag,
  ...encoding,
  ...limits,
  ...shapes,
  ...malformedStreams,
  ...malformedRecords,
  ...malformedFields,
  ...forgedFields,
  ...claims,
  ...forgedNames,
  ...forgedTrees,
  ...forgedHistories,
  ...anchors,
  ...forgedAnchors,
  ...continuity,
  ...times,
  ...beacons,
  ...signatures,
  ...signers,
  ...lives,
  ...twinCases,
  ...privates,
  ...memberEdges,
  ...expectEdges,
  ...chains,
  ...chainSeals,
  ...chainHeights,
  ...chainReceipts,
  ...chainBeacons,
  ...forgedChainStates,
  ...forgedChainHeaders,
  ...forgedChainReceipts,
]
