import { execFileSync } from 'node:child_process'
import test from 'ava'

/** Other people's tools that some tests hold Kedge against, and what says that they will do. */
const tools = {
  // SM2 and SM3 came with version 3; LibreSSL has neither.
  openssl: () => /^OpenSSL [3-9]/.test(versionOf('openssl', 'version')),
  python3: () => /^Python 3/.test(versionOf('python3', '--version')),
}

/** `test`, or `test.skip` where a tool is missing and nobody demanded it. */
export function testWith(...needed: readonly (keyof typeof tools)[]): typeof test.skip {
  const isHere = needed.every((tool) => tools[tool]())
  return isHere || process.env.KEDGE_REQUIRE_TOOLS ? test : test.skip
}

function versionOf(command: string, argument: string): string {
  try {
    return execFileSync(command, [argument], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return ''
  }
}
