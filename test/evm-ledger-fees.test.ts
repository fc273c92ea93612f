import test from 'ava'
import type { EvmOptions } from '../anchor-client/ledgers/evm/options.ts'
import { readTransaction } from '../anchor-client/ledgers/evm/transactions.ts'
import { evm } from '../anchor-client/ledgers/evm.ts'
import type { Outcome } from '../anchor-client/ledgers/ledger.ts'
import { ask } from './helpers/anchoring.ts'
import {
  anvilIsMissing,
  type Chain,
  evmUnderTest,
  hex,
  landed,
  startChain,
} from './helpers/evm-ledger.ts'
import { isFinal, isRefused, signal, usual } from './helpers/ledger-under-test.ts'

const gateway = usual({ hashId: 2 })

const whyOf = (outcome: Outcome | { state: 'prepared' }): string =>
  'why' in outcome ? outcome.why : outcome.state

async function registered(chain: Chain, told: Partial<EvmOptions>) {
  const ledger = await evmUnderTest(chain, told)
  const session = await ledger.open()
  await session.registrar.admit(gateway.admission, signal)
  return {
    ledger,
    session,
    async [Symbol.asyncDispose]() {},
  }
}

if (anvilIsMissing) {
  test('evm: skipped, as @foundry-rs/anvil has no program for this machine', (t) => t.pass())
} else {
  // What happens to the price of gas happens to everybody on a chain: one after the other, each on a chain of its own.
  test.serial(
    'an anchor pays what the configuration says: nothing, a price, or a fee and a tip',
    async (t) => {
      await using chain = await startChain()
      const fees: readonly [Partial<EvmOptions>, RegExp][] = [
        [{ fee: 'zero' }, /^\d{5,6} gas at 0 wei$/],
        [{ fee: 'legacy', gasPrice: '7' }, /^\d{5,6} gas at 7 wei$/],
        [
          { fee: 'eip1559', maxFeePerGas: '9', maxPriorityFeePerGas: '3' },
          /^\d{5,6} gas at 3 wei$/,
        ],
      ]
      for (const [told, cost] of fees) {
        await using box = await registered(chain, told)
        const place = isFinal(t, await ask(box.session, gateway.anchor(0, 4)))
        t.regex(place?.cost ?? '', cost)
      }
    },
  )

  test.serial(
    'a base fee that rises from 0 is named, and what was signed for nothing is signed anew for more',
    async (t) => {
      await using chain = await startChain()
      await using box = await registered(chain, { fee: 'zero' })
      const { ledger, session } = box
      await chain.rpc('evm_setAutomine', false)
      const prepared = await session.prepare(gateway.anchor(0, 4), signal)
      if (prepared.state !== 'prepared') return t.fail(whyOf(prepared))
      t.is((await session.send(prepared, signal)).state, 'known')
      await chain.rpc('anvil_setNextBlockBaseFeePerGas', '0x7')
      await chain.rpc('anvil_mine', '0x1')

      const stuck = await session.send(prepared, signal)
      isRefused(t, stuck, 'not-permitted')
      t.regex(whyOf(stuck), /base fee of block \d+ is 7 wei, and a transaction pays at most 0/)
      const health = await session.health(signal)
      t.false(health.isWell)
      t.regex(health.notes.join(), /base fee of block \d+ is 7 wei/)
      isRefused(
        t,
        await session.prepare(gateway.anchor(0, 5), signal).then(asOutcome),
        'not-permitted',
      )
      await session[Symbol.asyncDispose]()

      const dearer = ledger.options({ fee: 'legacy', gasPrice: '20' })
      await using again = await evm.connect(dearer, ledger.host())
      const lapsed = await again.send(prepared, signal)
      t.is(lapsed.state, 'lapsed', whyOf(lapsed))
      const anew = await again.prepare(gateway.anchor(0, 5), signal)
      if (anew.state !== 'prepared') return t.fail(whyOf(anew))
      const [one, other] = [prepared, anew].map(({ bytes }) => readTransaction(bytes))
      t.is(one?.nonce, other?.nonce, 'only one of the two can land')
      await again.send(anew, signal)
      await chain.rpc('anvil_mine', '0x1')
      t.is((await again.status(anew, signal)).state, 'final')
      t.is((await again.status(prepared, signal)).state, 'covered')
    },
  )

  test.serial(
    'an account without money keeps its anchor waiting, and says what it needs',
    async (t) => {
      await using chain = await startChain()
      const told = { fee: 'legacy', gasPrice: '1000000', gasLimit: 500_000 } as const
      await using box = await registered(chain, told)
      const { ledger, session } = box
      const prepared = await session.prepare(gateway.anchor(0, 4), signal)
      if (prepared.state !== 'prepared') return t.fail(whyOf(prepared))
      const account = hex(ledger.owner.address)
      await chain.rpc('anvil_setBalance', account, '0x1')
      await chain.rpc('anvil_mine', '0x1')
      const poor = await session.send(prepared, signal)
      isRefused(t, poor, 'not-permitted')
      t.regex(whyOf(poor), /the account cannot pay for it/)
      const early = asOutcome(await session.prepare(gateway.anchor(0, 5), signal))
      isRefused(t, early, 'not-permitted')
      t.is(whyOf(early), `account ${account} holds 1 wei, and a transaction may cost 500000000000`)
      await chain.rpc('anvil_setBalance', account, '0xde0b6b3a7640000')
      await chain.rpc('anvil_mine', '0x1')
      isFinal(t, await landed(session, prepared))
    },
  )
}

const asOutcome = (of: Outcome | { readonly state: 'prepared' }): Outcome => {
  if (of.state === 'prepared') throw new Error('it was prepared')
  return of
}
