import test from 'ava'
import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import { type Deployment, deployContract } from '../anchor-client/ledgers/evm/deploy.ts'
import { anvilIsMissing, chainAccount, optionsOf, startChain } from './helpers/evm-ledger.ts'
import { signal } from './helpers/ledger-under-test.ts'
import { type Answer, lyingNode, RpcFailure } from './helpers/lying-node.ts'

/** A deployment by an account of its own, and what a person is told meanwhile. */
function deployment(urls: readonly string[], name: string) {
  const account = chainAccount(name)
  const sent: string[] = []
  const waits: string[] = []
  const told: Deployment = {
    options: optionsOf(urls[0] as string, '00'.repeat(20), './chain', { urls: [...urls] }),
    account,
    registrar: account.address,
    onSent: (_, contract) => sent.push(contract),
    onWaiting: (why) => waits.push(why),
    pause: () => Promise.resolve(),
  }
  return { sent, waits, run: () => deployContract(told, signal) }
}

const refusing = (message: string) => () => Promise.reject(new RpcFailure(-32000, message))

if (anvilIsMissing) {
  test('evm: skipped, as @foundry-rs/anvil has no program for this machine', (t) => t.pass())
} else {
  const chain = await startChain()
  test.after.always(() => chain[Symbol.asyncDispose]())

  test('where no node can be reached a contract is not deployed, and the node is named', async (t) => {
    const { run, sent } = deployment(['http://127.0.0.1:1', 'http://127.0.0.1:2'], 'far away')
    const error = await t.throwsAsync(run(), { code: 'LEDGER_UNREACHABLE' })
    t.regex(error?.message ?? '', /127\.0\.0\.1:2 cannot be reached/)
    t.deepEqual(sent, [])
  })

  test('a contract that the chain does not take ends with the words of the node', async (t) => {
    const words = [
      'Upfront cost exceeds account balance',
      'Gas price below configured minimum gas price',
      'Transaction gas limit exceeds block gas limit',
      'Sender account not authorized to send transactions',
      'insufficient funds for gas * price + value',
    ]
    await using node = await lyingNode(chain.url)
    for (const said of words) {
      node.tell(({ method }) =>
        method === 'eth_sendRawTransaction' ? refusing(said)() : undefined,
      )
      const error = await t.throwsAsync(deployment([node.url], said).run(), {
        code: 'LEDGER_UNREACHABLE',
      })
      t.true(error?.message.endsWith(`says: ${said}`), error?.message)
    }
  })

  test('a refusal in words that nobody knows is told while it is waited for, and ends', async (t) => {
    await using node = await lyingNode(chain.url)
    node.tell(({ method }) =>
      method === 'eth_sendRawTransaction' ? refusing('come back on Monday')() : undefined,
    )
    const { run, sent, waits } = deployment([node.url], 'patient')
    const error = await t.throwsAsync(run(), { code: 'LEDGER_UNREACHABLE' })
    t.regex(error?.message ?? '', /the chain does not take it: .* says: come back on Monday/)
    t.deepEqual(sent, [])
    t.is(waits.length, 1)
    t.regex(waits.join(), /come back on Monday/)
  })

  test('an outage after a contract was sent is told, and asked again until the contract is there', async (t) => {
    await using node = await lyingNode(chain.url)
    let outages = 6
    node.tell(({ method }): Promise<Answer> | undefined => {
      const isLooking = method === 'eth_getTransactionCount' || method === 'eth_getCode'
      if (!isLooking || node.asked('eth_sendRawTransaction') === 0 || outages === 0) return
      outages -= 1
      return refusing('rate limit')()
    })
    const { run, sent, waits } = deployment([node.url], 'through an outage')
    const { contract } = await run()
    t.deepEqual(sent, [`0x${bytesToHex(contract)}`])
    t.is(outages, 0)
    t.regex(waits.join(), /rate limit/)
  })

  test('one node that is silent or refuses keeps nobody from deploying a contract with another one', async (t) => {
    await using node = await lyingNode(chain.url)
    node.tell(({ method }) =>
      method === 'eth_sendRawTransaction' ? refusing('gas price too low')() : undefined,
    )
    const urls = ['http://127.0.0.1:1', node.url, chain.url]
    const { run, sent } = deployment(urls, 'with another one')
    const { contract } = await run()
    t.deepEqual(sent, [`0x${bytesToHex(contract)}`])
  })
}
