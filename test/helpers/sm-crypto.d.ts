/** What the tests use of the package that they hold our SM2 and SM3 against. */
declare module 'sm-crypto' {
  const smCrypto: {
    sm2: {
      doSignature(
        message: readonly number[] | Uint8Array,
        privateKey: string,
        options: { hash: boolean; publicKey: string },
      ): string
      doVerifySignature(
        message: readonly number[] | Uint8Array,
        signature: string,
        publicKey: string,
        options: { hash: boolean },
      ): boolean
      generateKeyPairHex(): { privateKey: string; publicKey: string }
      getPublicKeyFromPrivateKey(privateKey: string): string
    }
    sm3(message: readonly number[] | Uint8Array): string
  }
  export = smCrypto
}
