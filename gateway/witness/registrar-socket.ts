/** The registrar's way to a witness that runs: DIR/witness.sock, which only its owner may use. */
import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { SecretReference } from '../keys/secret.ts'
import { decodeAnswer, encodeAnswer, encodeError, endOfAnswers } from '../serving/wire.ts'
import { openWitness, type Witness, witnessSocket } from './open-witness.ts'
import { approve, type EnrolledRow, listEnrolled } from './registrar.ts'

export type RegistrarQuestion =
  | { readonly ask: 'list' }
  /** The request file's bytes in base64, judged once more where it counts. */
  | { readonly ask: 'approve'; readonly file: string; readonly incarnation?: number }

const longestQuestion = 64 * 1024
const longestWaitMs = 10_000

export async function serveRegistrar(folder: string, witness: Witness): Promise<AsyncDisposable> {
  const path = witnessSocket(folder)
  // Whoever left it there is gone: the folder is locked by us.
  await rm(path, { force: true })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setTimeout(longestWaitMs, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    void answer(socket, witness)
  })
  const before = process.umask(0o177)
  try {
    server.listen(path)
    await once(server, 'listening')
  } finally {
    process.umask(before)
  }
  await chmod(path, 0o600)
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
      await rm(path, { force: true })
    },
  }
}

/** Asks the witness that runs in this folder, or opens the folder for as long as it takes. */
export async function* askRegistrar(
  folder: string,
  secret: SecretReference | undefined,
  question: RegistrarQuestion,
): AsyncGenerator<EnrolledRow, void> {
  const socket = await connected(witnessSocket(folder))
  if (socket) {
    yield* answersOf(socket, question)
    return
  }
  await using witness = await openWitness({ folder, secret, mayCreate: false })
  yield* rowsFor(witness, question)
}

async function* rowsFor(
  witness: Witness,
  question: RegistrarQuestion,
): AsyncGenerator<EnrolledRow, void> {
  const keeper = await witness.keeper()
  if (question.ask === 'list') yield* listEnrolled(keeper)
  else yield await approve(keeper, Buffer.from(question.file, 'base64'), question.incarnation)
}

async function answer(socket: Socket, witness: Witness): Promise<void> {
  try {
    for await (const line of rowsFor(witness, await questionFrom(socket))) {
      for (const text of encodeAnswer({ line })) socket.write(text)
    }
    socket.end(endOfAnswers)
  } catch (error) {
    socket.end(encodeError(error))
  }
}

async function questionFrom(socket: Socket): Promise<RegistrarQuestion> {
  let text = ''
  socket.setEncoding('utf8')
  for await (const piece of socket.iterator({ destroyOnReturn: false })) {
    text += piece
    const end = text.indexOf('\n')
    if (end >= 0) return JSON.parse(text.slice(0, end)) as RegistrarQuestion
    if (text.length > longestQuestion) break
  }
  throw new KedgeError('USAGE', 'no question came')
}

async function connected(path: string): Promise<Socket | undefined> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return socket
  } catch {
    socket.destroy()
    return undefined
  }
}

async function* answersOf(
  socket: Socket,
  question: RegistrarQuestion,
): AsyncGenerator<EnrolledRow, void> {
  socket.setEncoding('utf8')
  socket.write(`${JSON.stringify(question)}\n`)
  let rest = ''
  try {
    for await (const text of socket) {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const answers = decodeAnswer(line, [])
        let next = answers.next()
        for (; !next.done; next = answers.next()) {
          if ('line' in next.value) yield next.value.line as EnrolledRow
        }
        if (next.value) return
      }
    }
  } finally {
    socket.destroy()
  }
  throw new KedgeError('STORE_FAILED', 'the witness ended before it had answered', {
    hint: 'Try again.',
  })
}
