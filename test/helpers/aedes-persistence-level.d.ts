/** The package brings no types; the bench needs one call of it. */
declare module 'aedes-persistence-level' {
  export default function persistence(db: object): object
}
