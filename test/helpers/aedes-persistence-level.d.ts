/** The package brings no types; the bench needs one call of it. */
declare module 'aedes-persistence-level' {
  // biome-ignore lint/style/noDefaultExport: that is how the package gives it
  export default function persistence(db: object): object
}
