/**
 * What a broker has for us, each publication acknowledged only when its taker says so (MQTT 3.1.1, QoS 1, a session
 * that the broker keeps while we are away).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { IPublishPacket } from 'mqtt'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { type BrokerAddress, brokerStream, connectToBroker } from './mqtt-socket.ts'
import { type SecretReference, secretFrom } from './secret.ts'

interface MqttOptions extends BrokerAddress {
  /** The same at every call: the broker keeps the session under it. */
  readonly clientId: string
  readonly user?: string | undefined
  readonly password?: SecretReference | undefined
  /** Filters of what is subscribed to. */
  readonly topics: readonly string[]
  readonly maxPayloadBytes: number
  readonly patienceMs: number
  readonly signal: AbortSignal
  warn(message: string): void
}

export interface MqttMessage {
  readonly topic: string
  /** Cut, and then longer than `maxPayloadBytes`, where it is too long. */
  readonly payload: Uint8Array
  /** The broker had kept it, for who knows how long. */
  readonly isRetained: boolean
  /** The broker sent it before, and had no acknowledgement. */
  readonly isAgain: boolean
  /** It is on the disk, or will never be: the broker may forget it. */
  taken(): void
}

/** Ends quietly on abort, and throws SENSOR_ABSENT when the broker is gone. */
interface MqttLink extends AsyncIterable<MqttMessage>, AsyncDisposable {}

export async function openMqtt(options: MqttOptions): Promise<MqttLink> {
  const { url, clientId, user, topics, patienceMs, signal, warn } = options
  const password = options.password && Buffer.from(await secretFrom(options.password, 'password'))
  const { MqttClient } = await import('mqtt')
  const socket = await connectToBroker(options, options)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  // A topic has at most 65,535 bytes.
  const stream = brokerStream(socket, 2 + 65_535 + 2 + options.maxPayloadBytes + 1)

  const arrived: MqttMessage[] = []
  /** Not acknowledged so far, in the order in which they came: so they are acknowledged, too. */
  const flights: { readonly id: number; readonly bytes: number; isTaken: boolean }[] = []
  const hasRoom = () =>
    flights.length < mostInFlight &&
    flights.reduce((sum, { bytes }) => sum + bytes, 0) < mostBytesInFlight
  let failure: KedgeError | undefined
  /** Called when there is room for more. */
  let goOn: (() => void) | undefined
  let wake = () => {}
  /** Called when all that was given out is taken. */
  let settled = () => {}

  const client = new MqttClient(() => stream, {
    clientId,
    ...(user !== undefined && { username: user }),
    ...(password && { password }),
    ...{ protocolVersion: 4, clean: false, keepalive: 30, reconnectPeriod: 0, resubscribe: false },
    connectTimeout: patienceMs,
  })
  const fail = (error: KedgeError) => {
    failure ??= error
    wake()
  }
  let patience: NodeJS.Timeout | undefined
  client.on('error', (error) => fail(unwelcome(url, error)))
  client.on('close', () => fail(gone(url)))
  client.on('connect', () => {
    const wanted = Object.fromEntries(topics.map((topic) => [topic, { qos: 1 as const }]))
    patience = setTimeout(() => {
      // Behind what is held back here it cannot be seen.
      if (goOn === undefined) fail(unanswered(url, patienceMs))
      else patience?.refresh()
    }, patienceMs)
    client.subscribe(wanted, (error, granted = []) => {
      clearTimeout(patience)
      patience = undefined
      const refused = granted.find(({ qos }) => qos > 2)?.topic
      if (refused !== undefined || error) fail(notGranted(url, refused ?? error?.message ?? ''))
      for (const { topic, qos } of granted) {
        if (qos === 0) warn(`${url} grants QoS 0 for ${topic}: what it sends may get lost`)
      }
    })
  })
  client.handleMessage = (packet, done) => {
    take(packet)
    // What waited at the broker may come before its answer.
    patience?.refresh()
    if (hasRoom()) done()
    else goOn = done
  }

  function take({ topic, payload, qos, messageId = 0, dup, retain }: IPublishPacket): void {
    // Some brokers repeat what they wait for on a connection that stands: it is on its way.
    if (qos > 0 && dup && flights.some(({ id }) => id === messageId)) return
    const flight = { id: qos > 0 ? messageId : 0, bytes: payload.length, isTaken: false }
    flights.push(flight)
    arrived.push({
      topic,
      payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
      isRetained: retain,
      isAgain: dup,
      taken() {
        flight.isTaken = true
        while (flights[0]?.isTaken) {
          const { id } = flights.shift() as (typeof flights)[number]
          if (id > 0) stream.acknowledge(id)
        }
        if (flights.length === arrived.length) settled()
        if (goOn === undefined || !hasRoom()) return
        const more = goOn
        goOn = undefined
        more()
      },
    })
    wake()
  }

  const cut = () => wake()
  signal.addEventListener('abort', cut)

  async function* messages(): AsyncGenerator<MqttMessage, void> {
    while (!signal.aborted) {
      // What came before the end and was not looked at is sent again.
      if (failure !== undefined) throw failure
      const message = arrived.shift()
      if (message !== undefined) yield message
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  }

  return {
    [Symbol.asyncIterator]: messages,
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', cut)
      clearTimeout(patience)
      patience = undefined
      // What is on its way to the disk has a moment to get there: else the broker sends it again.
      if (failure === undefined && flights.length > arrived.length) {
        const all = new Promise<void>((resolve) => {
          settled = resolve
        })
        await Promise.race([all, sleep(lastCommitMs)])
      }
      client.end(true)
      socket.destroySoon()
      await Promise.race([closed, sleep(1000)])
      socket.destroy()
      await closed
    },
  }
}

/** So many are read ahead of the disk. */
const mostInFlight = 64
const mostBytesInFlight = 2 ** 20
const lastCommitMs = 300

function unwelcome(url: string, cause: Error & { code?: unknown }): KedgeError {
  const isRefused = cause.code === 4 || cause.code === 5
  return new KedgeError('SENSOR_ABSENT', `${url}: ${cause.message}`, {
    cause,
    hint: isRefused
      ? 'Check user and password: the broker lets this gateway not in.'
      : 'Check that an MQTT broker runs at this address.',
  })
}

const gone = (url: string) =>
  new KedgeError('SENSOR_ABSENT', `the MQTT broker at ${url} closed the connection`, {
    hint: 'Check that it runs, and that no other client has the same clientId.',
  })

const unanswered = (url: string, patienceMs: number) =>
  new KedgeError(
    'SENSOR_ABSENT',
    `the MQTT broker at ${url} did not answer the subscription within ${patienceMs} ms`,
    { hint: 'Check that it is an MQTT broker, and that it is well.' },
  )

const notGranted = (url: string, what: string) =>
  new KedgeError('SENSOR_ABSENT', `the MQTT broker at ${url} does not grant ${what}`, {
    hint: 'Allow this user to read the topic, or take it out of the configuration.',
  })
