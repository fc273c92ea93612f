/** Every key that a configuration may have, in the order of the schema, with what is known of it. */
import { alternativeFor, choicesOf, formOf, type JsonSchema } from './json-schema.ts'
import type { Spot } from './spots.ts'

export interface Explained {
  /** `devices.NAME.driver`: a name that a person chooses is in capitals. */
  readonly key: string
  /** The alternative that this key belongs to, such as `driver: cold-ds18b20`. */
  readonly of: string | null
  readonly means: string
  readonly form: string
  readonly default: unknown
  readonly required: boolean
}

export function explainAll(schema: JsonSchema): readonly Explained[] {
  return inside(schema, '', null)
}

function inside(schema: JsonSchema, prefix: string, of: string | null): readonly Explained[] {
  const { properties = {}, required = [], additionalProperties, items, oneOf = [] } = schema
  const choices = choicesOf(schema)
  return [
    ...Object.entries(properties)
      .filter(([, { const: name }]) => name === undefined)
      .flatMap(([key, one]) => [
        explained(one, `${prefix}${key}`, of, required.includes(key)),
        ...inside(one, `${prefix}${key}.`, of),
      ]),
    ...(typeof additionalProperties === 'object'
      ? inside(additionalProperties, `${prefix}NAME.`, of)
      : []),
    ...(items ? inside(items, prefix, of) : []),
    ...(choices ? [choice(choices, oneOf, prefix)] : []),
    ...oneOf.flatMap((one, i) => inside(one, prefix, `${choices?.key}: ${choices?.names[i]}`)),
  ]
}

function explained(
  schema: JsonSchema,
  key: string,
  of: string | null,
  required: boolean,
): Explained {
  const { description: means = '', default: given = null } = schema
  const { propertyNames: names, additionalProperties: values } = schema
  const form =
    typeof values === 'object' && names && schema.title === undefined
      ? `a section with a key each, ${formOf(names)}${values.type === 'string' ? `, and ${formOf(values)}` : ''}`
      : formOf(schema)
  const isEmpty = JSON.stringify(given) === '{}'
  return { key, of, means, form, default: isEmpty ? null : given, required }
}

const choice = (
  { key, names }: { readonly key: string; readonly names: readonly string[] },
  oneOf: readonly JsonSchema[],
  prefix: string,
): Explained => ({
  key: `${prefix}${key}`,
  of: null,
  means: names.map((name, i) => `${name}: ${oneOf[i]?.description ?? ''}`).join('; '),
  form: `one of ${names.join(', ')}`,
  default: null,
  required: true,
})

/** Explanations of a key as a person types it: with names that they chose, with NAME, or a section's. */
export function explain(typed: string, schema: JsonSchema, root: Spot | undefined) {
  const { general, of } = generalised(typed.split('.'), schema, root)
  const own = explainAll(schema).filter((one) => !of || !one.of || one.of === of)
  const found = own.filter(({ key }) => key === general)
  const within = own.filter(({ key }) => key.startsWith(`${general}.`))
  return (found.length > 0 ? found : within).map((one) => ({
    ...one,
    /** Where in a file it would stand. */
    asked: typed + one.key.slice(general.length),
  }))
}

/** `devices.fridge.address` as `devices.NAME.address`, and the alternative that the file chose for it. */
function generalised(path: readonly string[], schema: JsonSchema, root: Spot | undefined) {
  let [at, spot, of]: [JsonSchema | undefined, Spot | undefined, string | null] = [
    schema,
    root,
    null,
  ]
  const general: string[] = []
  for (const key of path) {
    const section: JsonSchema = at ?? {}
    const { properties = {}, additionalProperties, items } = section
    spot = spot?.children.get(key)
    if (Object.hasOwn(properties, key) || choicesOf(section)) {
      general.push(key)
      at = properties[key]
    } else if (typeof additionalProperties === 'object') {
      general.push('NAME')
      at = additionalProperties
    } else if (items && /^\d+$/.test(key)) {
      at = items
    } else {
      general.push(key)
      at = undefined
    }
    const choices = choicesOf(at ?? {})
    const chosen = (spot?.value as Record<string, unknown> | undefined)?.[choices?.key ?? '']
    if (at && choices && chosen !== undefined) {
      of = `${choices.key}: ${chosen}`
      at = alternativeFor(at, spot?.value)
    }
  }
  return { general: general.join('.'), of }
}
