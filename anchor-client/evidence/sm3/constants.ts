/** The numbers of SM3 (GB/T 32905-2016, 4.1 and 4.2), as signed words. */
export const initialState = Int32Array.of(
  0x7380166f,
  0x4914b2b9,
  0x172442d7,
  0xda8a0600,
  0xa96f30bc,
  0x163138aa,
  0xe38dee4d,
  0xb0fb0e4e,
)

/** T(j) rotated left by j, for each of the 64 rounds. */
export const roundConstants = Int32Array.from({ length: 64 }, (_, j) => {
  const word = j < 16 ? 0x79cc4519 : 0x7a879d8a
  return (word << (j % 32)) | (word >>> (-j & 31))
})
