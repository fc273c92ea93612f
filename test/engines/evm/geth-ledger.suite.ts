import test from 'ava'
import { evmUnderTest } from '../../helpers/evm-ledger.ts'
import { ledgerSuite } from '../../ledger-suite.ts'
import { cliqueChain, registrarOf } from './chains.ts'
import { contractAt, hexOf } from './genesis.ts'

const contracts = 64
const chain = await cliqueChain({ contracts })
test.after.always(() => chain[Symbol.asyncDispose]())

const urls = chain.nodes.map(({ url }) => url)
let taken = 0

/** Of tests that run at once, each speaks to another node first. */
function setUp() {
  const number = taken++
  const own = [...urls.slice(number % urls.length), ...urls.slice(0, number % urls.length)]
  const next = () => ({ contract: hexOf(contractAt(number)), owner: registrarOf(number) })
  const told = {
    urls: own,
    finality: 'clique',
    confirmations: 0,
    fee: 'legacy',
    gasPrice: '1',
  } as const
  return evmUnderTest({ url: own[0] as string, next }, told)
}

ledgerSuite('geth with three signers', setUp, { hashIds: [2], blockMs: 1000 })
