/** The first byte of a tag's EPC bank, by the GS1 Tag Data Standard 2.3: which scheme the rest follows. */
const schemes: Readonly<Record<string, string>> = {
  '2C': 'GDTI-96',
  '2D': 'GSRN-96',
  '2E': 'GSRNP-96',
  '2F': 'USDOD-96',
  '30': 'SGTIN-96',
  '31': 'SSCC-96',
  '32': 'SGLN-96',
  '33': 'GRAI-96',
  '34': 'GIAI-96',
  '35': 'GID-96',
  '36': 'SGTIN-198',
  '37': 'GRAI-170',
  '38': 'GIAI-202',
  '39': 'SGLN-195',
  '3A': 'GDTI-113',
  '3B': 'ADI-var',
  '3C': 'CPI-96',
  '3D': 'CPI-var',
  '3E': 'GDTI-174',
  '3F': 'SGCN-96',
  '40': 'ITIP-110',
  '41': 'ITIP-212',
  E6: 'CPI++',
  E7: 'GSRN++',
  E8: 'GSRNP++',
  E9: 'SGLN++',
  EA: 'GDTI++',
  EB: 'GRAI++',
  EC: 'SGCN++',
  ED: 'ITIP++',
  EE: 'GIAI++',
  EF: 'SSCC++',
  F0: 'CPI+',
  F1: 'GRAI+',
  F2: 'SGLN+',
  F3: 'ITIP+',
  F4: 'GSRN+',
  F5: 'GSRNP+',
  F6: 'GDTI+',
  F7: 'SGTIN+',
  F8: 'SGCN+',
  F9: 'SSCC+',
  FA: 'GIAI+',
  FB: 'DSGTIN+',
  FC: 'DSGTIN++',
  FD: 'SGTIN++',
}

/** Why a header cannot be read here, in words that name its scheme. */
export function unreadHeader(header: string): string {
  if (header === '00') return 'header 00: an unprogrammed tag'
  if (header === 'E2') return 'header E2: a TID, which names the chip, not an EPC'
  const scheme = schemes[header]
  return scheme
    ? `header ${header}: ${scheme}, which is not read here`
    : `header ${header}: no scheme of the Tag Data Standard`
}
