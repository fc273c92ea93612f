import { equalBytes, hexToBytes, utf8 } from '../../anchor-client/evidence/bytes.ts'
import { verifySm2 } from '../../anchor-client/evidence/sm2.ts'
import type { Sm2 } from './sm2.ts'

/** What an engine gets wrong, or null. It says nothing of any key but the published one. */
export function selfTestFault(sm2: Omit<Sm2, 'why'>): string | null {
  if (!equalBytes(sm2.publicKeyOf(d), publicKey)) return 'it finds another public key'
  if (!sm2.verify(publicKey, message, published)) return "it refuses the standard's example"
  const flipped = published.with(63, (published[63] as number) ^ 1)
  if (sm2.verify(publicKey, message, flipped)) return 'it takes a false signature'
  for (const [what, signature] of Object.entries(mistaken)) {
    if (sm2.verify(publicKey, message, signature)) return `it takes ${what}`
  }
  const signature = sm2.signer(d)(message)
  if (!sm2.verify(publicKey, message, signature)) return 'it refuses its own signature'
  // By arithmetic of our own: two wrongs of one engine may agree with each other.
  if (!verifySm2(publicKey, message, signature)) return 'its signatures are not standard SM2'
  if (equalBytes(sm2.signer(d)(message), signature)) return 'it signs twice with one nonce'
  return null
}

// GB/T 32918.5-2017 annex A.2: key, message and signature.
const d = hexToBytes('3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8')
const publicKey = hexToBytes(
  '0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020' +
    'ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13',
)
const message = utf8('message digest')
const published = hexToBytes(
  'f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3' +
    'b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa',
)

/** What the same call gives for a key or an id that was handed over in another way. */
const mistaken = {
  'a signature without the signer in it': hexToBytes(
    '28edd72c5b81b566f23511573081074aee92c668dd412bd70166a5fe1f0a9c47' +
      '7d68c9b66f69b6253e2e5f9c73bf5add11aff07f656a920af3624b03a4d49f65',
  ),
  'a signature for the empty id': hexToBytes(
    '654d7c0a0c4b0f08b5cc9fa0144af24f792a981ef6e36c21d11e09f5dcd4296b' +
      'd3ba3fa25e58e8bba97f241eb6239810c02486e7ef0f95c43cd61162f87ae908',
  ),
  'an ECDSA signature': hexToBytes(
    '1557fef825f8b586fbb097557732f1f352d95eadd70f4a45b26bc7732209d469' +
      '5e763cfbd035e5acbab1fb49450e84ad043961f65cb418aa9f635008915cd13f',
  ),
}
