import { createHook } from 'node:async_hooks'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { answerAt } from '../gateway/serving/line-socket.ts'
import { scratchFolder } from './helpers/scratch.ts'

const openPipes = () =>
  process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length

test('a socket that cannot be made its owner’s alone is closed again, and keeps no process alive', async (t) => {
  await using scratch = await scratchFolder()
  const path = join(scratch.path, 'kedge.sock')
  // Takes the socket away in the moment between its making and its mode.
  const thief = createHook({
    init(_, type) {
      if (type === 'FSREQPROMISE' && existsSync(path)) rmSync(path)
    },
  }).enable()
  const before = openPipes()
  await t.throwsAsync(
    answerAt(path, async function* () {}),
    { code: 'ENOENT' },
  )
  thief.disable()
  t.is(openPipes(), before)
})
