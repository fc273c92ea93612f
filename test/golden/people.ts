// Whose keys these are, and what a regulator believes of them.
import { key } from './keys.ts'
import { gateway } from './streams.ts'
import { trust } from './trust.ts'

export const a = gateway(key('gateway a'))
export const b = gateway(key('gateway b'))

/** Runs inside the gateway that it witnesses. */
export const embedded = { key: key('embedded'), rules: 1 }
/** Run by a hospital. */
export const w1 = { key: key('w1'), rules: 1 }
/** Run by a regulator. */
export const w2 = { key: key('w2'), rules: 1 }
/** May order erasure. */
export const controller = key('controller')

export const ledgers = {
  embedded: { key: embedded.key, name: 'in the gateway' },
  w1: { key: w1.key, name: 'hospital', independent: true, clockToleranceMs: 2_000 },
  w2: { key: w2.key, name: 'regulator', independent: true, clockToleranceMs: 2_000 },
}

/** Both gateways, all three ledgers, one controller. */
export const usual = trust('usual', {
  gateways: [
    [a, [{ key: a.key }]],
    [b, [{ key: b.key }]],
  ],
  ledgers: [ledgers.embedded, ledgers.w1, ledgers.w2],
  controllers: [[controller, 'data protection office']],
})
