import type { LedgerSession } from '../../anchor-client/ledgers/ledger.ts'
import type { AnchorStore } from '../../gateway/anchoring/anchor-store.ts'

/**
 * A process that dies at the n-th step: just before or just after something outside itself, which is then done or
 * not. After it nothing has any effect, as from a process that is dead.
 */
export function dyingAt(n: number) {
  const stop = new AbortController()
  let steps = 0
  const boundary = (): void => {
    if (stop.signal.aborted) throw new Error('the process is dead')
    steps += 1
    if (steps !== n) return
    stop.abort(new Error(`it died at step ${n}`))
    throw stop.signal.reason
  }
  const around =
    <Asked extends unknown[], Answer>(call: (...asked: Asked) => Promise<Answer>) =>
    async (...asked: Asked): Promise<Answer> => {
      boundary()
      const answer = await call(...asked)
      boundary()
      return answer
    }
  return {
    stop,
    get isDead() {
      return steps >= n
    },
    store: (store: AnchorStore): AnchorStore => ({
      ...store,
      pin: around(store.pin),
      putFlight: around(store.putFlight),
      keep: around(store.keep),
    }),
    session: (session: LedgerSession): LedgerSession => {
      const { registrar } = session
      return {
        ...session,
        registrar: registrar && { admit: around(registrar.admit) },
        describe: around(session.describe),
        head: around(session.head),
        prepare: around(session.prepare),
        send: around(session.send),
        status: around(session.status),
        find: around(session.find),
        prove: around(session.prove),
        async *iterate(...asked) {
          for await (const anchored of session.iterate(...asked)) {
            boundary()
            yield anchored
          }
        },
      }
    },
  }
}
