/** For the tests that `npm run test:engines` runs: theirs are other names, so that `npm test` does not take them. */
// biome-ignore lint/style/noDefaultExport: AVA takes nothing else
export default {
  files: ['test/engines/**/*.suite.ts'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  workerThreads: false,
  // Between one test that ends and the next.
  timeout: '15m',
}
