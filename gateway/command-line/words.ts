/** What verdicts and properties mean, in the words of somebody who must decide something. */
import type { Property, Result, Verdict } from '../../anchor-client/evidence/model.ts'

export type Language = 'en' | 'zh'

/** `--lang` before LC_ALL before LC_MESSAGES before LANG. */
export function languageOf(
  asked: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Language {
  const wanted = asked || env.LC_ALL || env.LC_MESSAGES || env.LANG || ''
  return wanted.startsWith('zh') ? 'zh' : 'en'
}

export const verdicts: Record<Language, Record<Verdict, string>> = {
  en: {
    complete: 'COMPLETE: nothing is missing and nothing was changed',
    'complete-with-declared-gaps':
      'COMPLETE WITH DECLARED GAPS: nothing was changed, and whatever is missing was declared',
    incomplete: 'INCOMPLETE: something is missing that the file covers or that was asked for',
    undetermined: 'UNDETERMINED: no fault was found, but not everything could be checked',
    invalid: 'INVALID: do not rely on this file',
  },
  zh: {
    complete: '完整：没有缺失，也没有改动',
    'complete-with-declared-gaps': '完整，有已申报的缺口：没有改动，缺失之处均已申报',
    incomplete: '不完整：所涵盖或所问的内容有缺失',
    undetermined: '无法判定：未发现错误，但并非每一项都能核对',
    invalid: '无效：请勿采信此文件',
  },
}

export const results: Record<Language, Record<Result, string>> = {
  en: { PASS: 'PASS', FAIL: 'FAIL', 'NOT CHECKED': 'NOT CHECKED' },
  zh: { PASS: '通过', FAIL: '不通过', 'NOT CHECKED': '未核对' },
}

/** What it means when the line passes. */
export const properties: Record<Language, Record<Property, string>> = {
  en: {
    file: 'the file is whole, and in its one permitted form',
    claim: 'it claims one thing, with nothing beside it',
    'stream-name': 'each stream is the one it is called, of one gateway',
    disclosure: 'values shown are the values recorded',
    stream: 'readings stand where they stood when sealed',
    batch: 'sealed streams belong to the batches named',
    history: 'each batch stands in the history signed with it',
    signature: 'that history is signed with the key shown',
    signer: 'the key is one you trust for this gateway',
    anchor: 'a ledger you trust holds this history',
    continuity: 'one ledger holds all, and lets it only grow',
    independent: 'somebody other than the operator runs it',
    'fixed-before': "readings were fixed before the ledger's time",
    'sealed-after': 'the batch was sealed after a known ledger block',
    erased: 'what was erased was ordered by whom you trust',
    complete: 'nothing is missing that is covered or asked for',
  },
  zh: {
    file: '文件完整，且为唯一允许的形式',
    claim: '只主张一件事，别无夹带',
    'stream-name': '每个数据流名实相符，同属一个网关',
    disclosure: '所示的值即当时记录的值',
    stream: '读数仍在封存时的位置和次序',
    batch: '封存的数据流属于所称的批次',
    history: '每个批次都在随之签名的历史之中',
    signature: '该历史由所示密钥签名',
    signer: '该密钥是您信任的此网关密钥',
    anchor: '您信任的账本记有这段历史',
    continuity: '该账本只许历史增长，不许更改',
    independent: '账本由运营者以外的一方运行',
    'fixed-before': '读数在账本所记时间之前已固定',
    'sealed-after': '批次在某个已知区块之后封存',
    erased: '删除均由您信任的一方下令',
    complete: '所涵盖或所问的内容没有缺失',
  },
}

export const readingWords: Record<Language, Record<'hidden' | 'gap' | 'erased', string>> = {
  en: { hidden: 'hidden', gap: 'gap', erased: 'erased' },
  zh: { hidden: '未披露', gap: '缺口', erased: '已删除' },
}
