/** The schema with the drivers and ledgers that there are. */
import { z } from 'zod'
import { ledgers } from '../anchor-client/ledgers/index.ts'
import { drivers } from '../drivers/index.ts'
import { secretReference } from '../drivers/transports/secret.ts'
import { path, secret } from './forms.ts'
import { toJsonSchema } from './json-schema.ts'
import type { Registry } from './load.ts'
import { type Choice, configSchema } from './schema.ts'

const embeddedPath = path
  .default('./ledger')
  .describe('Folder of its files; outside the data folder a restored copy of it is noticed')

const chainPath = path
  .default('./chain')
  .describe('Folder of its account: the key, and what it last signed')

const { ca: chainCa, authorization } = ledgers.evm.options.shape

const witnessCa = ledgers.witness.options.shape.ca.description ?? ''

/** A driver says that a secret is wanted; how its place is named is said here. */
function withSecrets(driver: Choice): Choice {
  const wanted = Object.entries(driver.options.shape).flatMap(([key, of]) =>
    of instanceof z.ZodOptional && of.unwrap() === secretReference
      ? [[key, secret.optional().describe(of.description ?? '')] as const]
      : [],
  )
  return { ...driver, options: driver.options.safeExtend(Object.fromEntries(wanted)) }
}

export const registry: Registry = {
  drivers: Object.fromEntries(
    Object.entries(drivers).map(([name, driver]) => [name, withSecrets(driver)]),
  ),
  ledgers: {
    ...ledgers,
    // A ledger knows no data folder, so that its place in there is said here.
    embedded: {
      ...ledgers.embedded,
      options: ledgers.embedded.options.extend({ path: embeddedPath }),
    },
    witness: {
      ...ledgers.witness,
      options: ledgers.witness.options.extend({ ca: path.optional().describe(witnessCa) }),
    },
    evm: {
      ...ledgers.evm,
      options: ledgers.evm.options.extend({
        path: chainPath,
        ca: path.optional().describe(chainCa.description ?? ''),
        authorization: path.optional().describe(authorization.description ?? ''),
      }),
    },
  },
}

export const gatewaySchema = toJsonSchema(configSchema(registry.drivers, registry.ledgers))
