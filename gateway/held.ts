/** Things that are opened one after the other and closed in the opposite order, also where opening fails half-way. */
export interface Held extends AsyncDisposable {
  use<T extends AsyncDisposable>(opened: T): T
}

export async function holding<T>(open: (held: Held) => Promise<T>): Promise<T> {
  const opened: AsyncDisposable[] = []
  const held: Held = {
    use(one) {
      opened.push(one)
      return one
    },
    async [Symbol.asyncDispose]() {
      for (let one = opened.pop(); one; one = opened.pop()) await one[Symbol.asyncDispose]()
    },
  }
  try {
    return await open(held)
  } catch (error) {
    await held[Symbol.asyncDispose]()
    throw error
  }
}
