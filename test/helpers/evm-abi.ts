export * from '../../anchor-client/contracts/abi.ts'
