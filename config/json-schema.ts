/** The schema as JSON Schema: editors complete from it, and explanations are printed from it. */
import { z } from 'zod'

export interface JsonSchema {
  readonly type?: string
  readonly title?: string
  readonly pattern?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly writeOnly?: boolean
  /** What helps whoever did not meet the form. */
  readonly $comment?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly propertyNames?: JsonSchema
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly oneOf?: readonly JsonSchema[]
}

export const toJsonSchema = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: 'input', reused: 'inline' }) as JsonSchema

/** What may stand under a key of a section; `value` decides between alternatives. */
export function childOf(schema: JsonSchema, key: string, value: unknown): JsonSchema | undefined {
  const { properties = {}, additionalProperties, items } = alternativeFor(schema, value)
  if (Object.hasOwn(properties, key)) return properties[key]
  if (typeof additionalProperties === 'object') return additionalProperties
  return items
}

/** The alternative that a section has chosen by its `driver` or `ledger`. */
export function alternativeFor(schema: JsonSchema, value: unknown): JsonSchema {
  const chosen = schema.oneOf?.find((one) =>
    Object.entries(one.properties ?? {}).some(
      ([key, { const: name }]) => name !== undefined && (value as never)?.[key] === name,
    ),
  )
  return chosen ?? schema
}

/** The key that tells alternatives apart, and the names that it may have. */
export function choicesOf({ oneOf = [] }: JsonSchema) {
  const named = oneOf.flatMap(({ properties = {} }) =>
    Object.entries(properties).filter(([, { const: name }]) => name !== undefined),
  )
  const [key] = named[0] ?? []
  return key === undefined ? undefined : { key, names: named.map(([, one]) => String(one.const)) }
}

/** What is wanted, to complete "expected …". */
export function formOf(schema: JsonSchema): string {
  const { title, type, minimum, maximum } = schema
  if (title !== undefined) return title
  if (schema.enum) return `one of ${schema.enum.join(', ')}`
  if (schema.const !== undefined) return String(schema.const)
  const choices = choicesOf(schema)
  if (choices) return `a section with ${choices.key}: ${choices.names.join(' or ')}`
  switch (type) {
    case 'integer':
    case 'number': {
      const number = type === 'integer' ? 'a whole number' : 'a number'
      const isBounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER
      if (isBounded) return `${number} from ${minimum ?? 'below'} to ${maximum}`
      return minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER
        ? `${number} of at least ${minimum}`
        : number
    }
    case 'boolean':
      return 'true or false'
    case 'array':
      return 'a list'
    case 'object':
      return 'a section'
    default:
      return schema.pattern ? `text like ${schema.pattern.replace(/^\^|\$$/g, '')}` : 'text'
  }
}
