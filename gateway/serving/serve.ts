/** Answers the other verbs while this process holds the store: over a socket that only its owner may use. */
import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { basename } from 'node:path'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Live } from '../live.ts'
import { queries } from '../queries/index.ts'
import { encodeAnswer, encodeError, endOfAnswers, longestQuestion, type Question } from './wire.ts'

/** What fits into the address of a socket on every system; longer ones are cut off silently. */
const longestPath = 103

export async function serve(path: string, live: Live): Promise<AsyncDisposable> {
  // Whoever left it there is gone: the data folder is ours.
  await rm(path, { force: true })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    void answer(socket, live)
  })
  if (Buffer.byteLength(path) > longestPath) {
    throw new KedgeError('USAGE', `the data folder's path is too long for ${basename(path)}`, {
      hint: `Name a folder with --data whose path has at most ${longestPath - basename(path).length - 1} bytes.`,
    })
  }
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

async function answer(socket: Socket, live: Live): Promise<void> {
  try {
    const { query, asked } = await questionFrom(socket)
    const run = Object.hasOwn(queries, query) ? queries[query] : undefined
    if (run === undefined) throw new KedgeError('USAGE', `there is no query ${query}`)
    for await (const one of run({ store: live.store, live }, asked)) {
      for (const line of encodeAnswer(one)) {
        if (socket.destroyed) return
        if (!socket.write(line)) await drained(socket)
      }
    }
    socket.end(endOfAnswers)
  } catch (error) {
    socket.end(encodeError(error))
  }
}

/** Also ends when nobody reads any more. */
const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })

async function questionFrom(socket: Socket): Promise<Question> {
  let text = ''
  socket.setEncoding('utf8')
  for await (const piece of socket.iterator({ destroyOnReturn: false })) {
    text += piece
    const end = text.indexOf('\n')
    if (end >= 0) return JSON.parse(text.slice(0, end)) as Question
    if (text.length > longestQuestion) break
  }
  throw new KedgeError('USAGE', 'no question came')
}
