import smCryptoUntyped from 'sm-crypto'

/** The package, which brings no types, as far as it is used: hex in lower case in and out. */
export interface SmCrypto {
  readonly sm2: {
    getPublicKeyFromPrivateKey(privateKey: string): string
    /** A random point kG with its k, of the package's own generator: taken for its number type only. */
    getPoint(): { readonly k: BigNumber }
    doSignature(
      message: readonly number[],
      privateKey: string,
      options: {
        readonly hash: true
        readonly publicKey: string
        /** Taken from its end; where it is empty the package makes nonces with its own generator. */
        readonly pointPool?: SigningPoint[]
      },
    ): string
    doVerifySignature(
      message: readonly number[],
      signature: string,
      publicKey: string,
      options: { readonly hash: true },
    ): boolean
    doEncrypt(message: readonly number[], publicKey: string, mode: 1): string
    doDecrypt(
      ciphertext: string,
      privateKey: string,
      mode: 1,
      options: { readonly output: 'array' },
    ): number[]
  }
  sm3(message: readonly number[], options?: { readonly key: string }): string
  readonly sm4: {
    encrypt(
      message: readonly number[],
      key: string,
      options: { readonly padding: 'none'; readonly mode?: 'cbc'; readonly iv?: string },
    ): string
  }
}

interface BigNumber {
  constructor: new (digits: string, radix: number) => BigNumber
}

export interface SigningPoint {
  readonly k: BigNumber
  readonly x1: BigNumber
}

export const smCrypto = smCryptoUntyped as unknown as SmCrypto
