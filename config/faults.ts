/** Faults in the words of whoever has to mend the file: where, what was expected, what stands there. */
import type { z } from 'zod'
import { type Complaint, complaint } from './complaint.ts'
import { nearest } from './did-you-mean.ts'
import { alternativeFor, childOf, choicesOf, formOf, type JsonSchema } from './json-schema.ts'
import type { Spot } from './spots.ts'

type Issue = z.core.$ZodIssue

/** Every fault that the schema found, some of which one slip of the finger explains together. */
export function complaintsOf(
  issues: readonly Issue[],
  root: Spot,
  schema: JsonSchema,
  whole: string,
): readonly Complaint[] {
  return issues.flatMap((issue) => {
    const place = follow(issue.path.map(String), root, schema)
    if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, place, whole)
    if (issue.code === 'invalid_key') {
      const at = place.spot?.keyAt ?? root.at
      const names = place.parent?.schema.propertyNames ?? {}
      return complaint(at, `${place.parent?.name}: this key is not ${formOf(names)}`)
    }
    return place.spot === undefined ? missing(place) : misfit(place, wordsIn(issue, place.schema))
  })
}

/** A check's own words come before the form, a pattern's only where the form has none. */
function wordsIn({ code, message }: Issue, schema: JsonSchema): string | undefined {
  // What zod says where nobody gave it words.
  if (/^Invalid |^Too /.test(message)) return undefined
  if (code === 'custom') return message
  return code === 'invalid_format' && schema.title === undefined ? message : undefined
}

interface Place {
  readonly name: string
  readonly spot: Spot | undefined
  readonly schema: JsonSchema
  readonly isSecret: boolean
  readonly parent: (Place & { readonly key: string }) | undefined
}

function follow(path: readonly string[], root: Spot, schema: JsonSchema): Place {
  let place: Place = { name: '', spot: root, schema, isSecret: false, parent: undefined }
  for (const key of path) {
    const of = place.schema
    const child = childOf(of, key, place.spot?.value) ?? choiceIn(of, key) ?? {}
    const name: string = place.name === '' ? key : `${place.name}.${key}`
    place = {
      name,
      spot: place.spot?.children.get(key),
      schema: child,
      isSecret: place.isSecret || child.writeOnly === true,
      parent: { ...place, key },
    }
  }
  return place
}

/** Where no alternative was chosen, the key that chooses has all their names. */
function choiceIn(schema: JsonSchema, key: string): JsonSchema | undefined {
  const choices = choicesOf(schema)
  return choices?.key === key ? { enum: choices.names } : undefined
}

function unknownKeys(keys: readonly string[], place: Place, whole: string): Complaint[] {
  const { name, spot, schema, isSecret } = place
  // Somebody may have put the secret where the key belongs.
  if (isSecret) return [misfit(place, undefined)]
  const section = name === '' ? whole : name
  const known = Object.keys(alternativeFor(schema, spot?.value).properties ?? {})
  return keys.map((key) => {
    const at = spot?.children.get(key)?.keyAt ?? 0
    const near = nearest(key, known)
    const hint = near ? `did you mean ${near}?` : `there are ${known.join(', ')}`
    return complaint(at, `there is no key ${shortened(key)} in ${section}`, hint)
  })
}

function missing({ name, schema, parent }: Place): Complaint | [] {
  const written = parent?.spot
  const known = Object.keys(alternativeFor(parent?.schema ?? {}, written?.value).properties ?? {})
  const strangers = Array.from(written?.children.keys() ?? []).filter((key) => !known.includes(key))
  const near = nearest(parent?.key ?? '', strangers)
  if (near === undefined) {
    return complaint(written?.keyAt ?? 0, `${name} is missing: expected ${formOf(schema)}`)
  }
  // Where an alternative was chosen the stranger is named as an unknown key: once is enough.
  if (known.length > 0) return []
  const at = written?.children.get(near)?.keyAt ?? 0
  return complaint(
    at,
    `there is no key ${shortened(near)} in ${parent?.name}`,
    `did you mean ${parent?.key}?`,
  )
}

function misfit({ name, spot, schema, isSecret }: Place, words: string | undefined): Complaint {
  const { value, typed, at } = spot as Spot
  const expected = words ?? formOf(schema)
  const prefix = name === '' ? '' : `${name}: `
  // Whatever stands where a section belongs may be a secret that slipped up a level.
  const found = inWords(value, typed, isSecret || isSection(schema))
  const isAlmost = isSection(schema) && found === 'a section'
  return complaint(
    at,
    `${prefix}expected ${expected}${isAlmost ? '' : `; found ${found}`}`,
    isSecret ? schema.$comment : hintFor(spot as Spot, schema, name),
  )
}

const isSection = ({ type, oneOf }: JsonSchema): boolean => type === 'object' || oneOf !== undefined

function inWords(value: unknown, typed: string | undefined, isHidden: boolean): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a section'
  if (isHidden) return typeof value === 'string' ? 'text' : `a ${typeof value}`
  if (typeof value === 'string') return `the text "${shortened(value)}"`
  return typeof value === 'number'
    ? `the number ${shortened(typed ?? String(value))}`
    : String(value)
}

function hintFor({ value, typed }: Spot, schema: JsonSchema, name: string): string | undefined {
  if (schema.enum && typeof value === 'string') {
    const near = nearest(value, schema.enum.map(String))
    return near ? `did you mean ${near}?` : undefined
  }
  if (typeof value === 'string' && (schema.type === 'integer' || schema.type === 'number')) {
    if (/\d(ms|s|m|h|d)$/.test(value) && name.endsWith('Ms')) {
      return 'the key says its unit already: a number of milliseconds is wanted'
    }
    return /^\d+$/.test(value) ? 'write the number without quotes' : undefined
  }
  if (schema.$comment !== undefined) {
    const isBare = typeof value === 'number' && /unit/.test(schema.title ?? '')
    return isBare ? `a number needs its unit here: ${schema.$comment}` : schema.$comment
  }
  if (schema.type === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return `in quotes it is text: "${shortened(typed ?? String(value))}"`
  }
  if (value === null) {
    return isSection(schema)
      ? 'write {} after it for its defaults, or take the line out'
      : 'give it a value, or take the line out'
  }
  return undefined
}

const shortened = (text: string): string =>
  text.length <= 64 ? text : `${Array.from(text).slice(0, 60).join('')}…`
