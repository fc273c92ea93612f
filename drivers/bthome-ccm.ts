import type { Ccm } from './bthome.ts'

/** AES-128-CCM of node:crypto, loaded when a key is at hand: what reads the frames needs none of it. */
export async function nodeCcm(): Promise<Ccm> {
  const { createDecipheriv } = await import('node:crypto')
  return ({ nonce, ciphertext, tag }, key) => {
    const decipher = createDecipheriv('aes-128-ccm', key, nonce, { authTagLength: tag.length })
    decipher.setAuthTag(tag)
    try {
      const plain = Uint8Array.from(decipher.update(ciphertext))
      decipher.final()
      return plain
    } catch {
      return null
    }
  }
}
