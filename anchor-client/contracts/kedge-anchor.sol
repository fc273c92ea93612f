// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Keeps the last size and root of each gateway's history and takes only what extends them. What it is told is never
/// refused for a time or a count. Storage, events and errors are explained in README.md beside this file.
contract KedgeAnchor {
    /// Of one incarnation of one gateway. The order is the storage layout: it must never change.
    struct History {
        /// H(0x03 ‖ u64 size ‖ root), or zero while nothing is anchored.
        bytes32 head;
        uint64 size;
        /// Of the last anchor; of the admission, while nothing is anchored.
        uint64 lastBlock;
        /// The gateway promised an anchor at least so often; 0 is no promise.
        uint32 cadenceSeconds;
        uint8 hashId;
        uint8 standing;
        /// On a chain that cannot check SM2 it stands for the device key.
        address account;
        /// One more than the header that named the key in use; 0 while that is the admitted one.
        uint64 rotatedBy;
        bytes32 keyId;
        bytes32 admission;
        bytes32 offer;
    }

    mapping(bytes32 gateway => mapping(uint32 incarnation => History)) private histories;
    /// One more than the newest incarnation: 0 is a gateway that is not registered.
    mapping(bytes32 gateway => uint64) private newest;
    mapping(bytes32 gateway => mapping(uint32 incarnation => mapping(bytes32 report => uint64))) private reports;
    /// In storage, so that the code is the same for every consortium.
    address public registrar;

    uint8 private constant SM3 = 1;
    uint8 private constant SHA256 = 2;

    uint8 private constant ADMITTED = 1;
    uint8 private constant CLOSED = 2;
    uint8 private constant FROZEN = 4;
    uint8 private constant REVOKED = 8;

    /// Larger integers cannot be said in evidence.
    uint64 private constant LARGEST_SIZE = 2 ** 53 - 1;

    bytes32 private constant SM3_OF_NOTHING = 0x1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b;
    bytes32 private constant SM3_OF_32_ZEROS = 0xe0bab8f4d8172ba245190d13c94117e93b82166c25b2b69883350c192c905140;
    bytes32 private constant SHA256_OF_NOTHING = 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;

    event Admitted(
        bytes32 indexed gateway,
        uint32 indexed incarnation,
        uint8 hashId,
        address account,
        bytes32 keyId,
        uint32 cadenceSeconds
    );
    /// What the gateway kept beyond this size is not anchored here: a declared loss.
    event Closed(bytes32 indexed gateway, uint32 indexed incarnation, uint64 size, bytes32 head, uint32 next);
    event Anchored(
        bytes32 indexed gateway,
        uint32 indexed incarnation,
        uint64 indexed size,
        bytes32 head,
        bytes32 root,
        uint64 oldSize,
        bytes32[2] signature
    );
    event RotationOffered(bytes32 indexed gateway, uint32 indexed incarnation, uint64 seq, bytes32 keyId, address account);
    event Rotated(bytes32 indexed gateway, uint32 indexed incarnation, uint64 seq, bytes32 keyId, address account);
    /// The SM2 signatures of a rotation, for whoever can check them.
    event RotationSigned(
        bytes32 indexed gateway,
        uint32 indexed incarnation,
        uint64 seq,
        bytes32[2] oldSignature,
        bytes32[2] newSignature
    );
    event ForkReported(
        bytes32 indexed gateway,
        uint32 indexed incarnation,
        bytes32 indexed report,
        uint64 size,
        bytes32[2] roots,
        bytes32[2] signatureA,
        bytes32[2] signatureB
    );
    event Frozen(bytes32 indexed gateway, uint32 indexed incarnation, bytes32 indexed report);
    event Revoked(bytes32 indexed gateway, uint32 indexed incarnation);
    event CadenceSet(bytes32 indexed gateway, uint32 indexed incarnation, uint32 cadenceSeconds);

    /// Another root is anchored for this size.
    error Conflict(uint64 size, bytes32 head);
    /// A larger size is anchored.
    error Covered(uint64 size, bytes32 head);
    /// The request was made on top of what is no longer the last anchor.
    error Lapsed(uint64 size, bytes32 head);
    error NoExtension(uint64 oldSize, uint64 size);
    error NotASize(uint64 size);
    error Unregistered(bytes32 gateway);
    error IncarnationUnknown(bytes32 gateway, uint32 incarnation);
    error IncarnationClosed(uint64 size, bytes32 head);
    error IncarnationFrozen();
    error IncarnationRevoked();
    /// An incarnation is never admitted after a later one.
    error IncarnationPassed(uint32 newestIncarnation);
    error AdmittedOtherwise(bytes32 gateway, uint32 incarnation);
    error HashNotComputed(uint8 hashId);
    error NotTheRegistrar(address registrar);
    error NotTheAccount(address account);
    error NotAnAccount(address account);
    error NotAKey(bytes32 keyId);
    error KeyInUse(bytes32 keyId);
    error RotationLapsed(uint64 seq);
    error RotationNotOffered(uint64 seq);
    error NotAFork();
    error NotReported(bytes32 report);
    error UnknownFunction(bytes4 selector);

    modifier onlyRegistrar() {
        if (msg.sender != registrar) revert NotTheRegistrar(registrar);
        _;
    }

    constructor(address firstRegistrar) {
        if (firstRegistrar == address(0)) revert NotAnAccount(firstRegistrar);
        registrar = firstRegistrar;
    }

    /// Registers a gateway, or grants it a new incarnation, which closes the one before at its last anchored size.
    function admit(
        bytes32 gateway,
        uint32 incarnation,
        uint8 hashId,
        address account,
        bytes32 keyId,
        uint32 cadenceSeconds
    ) public onlyRegistrar {
        History storage history = histories[gateway][incarnation];
        bytes32 admission = keccak256(abi.encode(hashId, account, keyId));
        if (history.standing != 0) {
            if (history.admission == admission) return;
            revert AdmittedOtherwise(gateway, incarnation);
        }
        if (account == address(0)) revert NotAnAccount(account);
        if (keyId == 0) revert NotAKey(keyId);
        if (hashId != SHA256 && !(hashId == SM3 && computesSm3())) revert HashNotComputed(hashId);

        uint64 before = newest[gateway];
        if (before > incarnation) revert IncarnationPassed(uint32(before - 1));
        if (before != 0) {
            History storage last = histories[gateway][uint32(before - 1)];
            last.standing |= CLOSED;
            emit Closed(gateway, uint32(before - 1), last.size, last.head, incarnation);
        }
        newest[gateway] = uint64(incarnation) + 1;
        history.lastBlock = uint64(block.number);
        history.cadenceSeconds = cadenceSeconds;
        history.hashId = hashId;
        history.standing = ADMITTED;
        history.account = account;
        history.keyId = keyId;
        history.admission = admission;
        emit Admitted(gateway, incarnation, hashId, account, keyId, cadenceSeconds);
    }

    /// Takes a larger size that extends the last anchored one: the next anchor and the catch-up after any outage alike.
    /// The SM2 signature over the checkpoint is published with it and checked by whoever verifies.
    function anchor(
        bytes32 gateway,
        uint32 incarnation,
        uint64 oldSize,
        bytes32 oldRoot,
        uint64 size,
        bytes32 root,
        bytes32[] memory consistency,
        bytes32[2] memory signature
    ) public {
        History storage history = known(gateway, incarnation);
        uint8 hashId = history.hashId;
        if (size == 0 || size > LARGEST_SIZE) revert NotASize(size);
        bytes32 head = headOf(hashId, size, root);
        // Before the account: what is anchored stays the answer after a rotation and after a close, too.
        if (size <= history.size) {
            if (size < history.size) revert Covered(history.size, history.head);
            if (head != history.head) revert Conflict(size, history.head);
            return;
        }
        if (msg.sender != history.account) revert NotTheAccount(history.account);
        requireOpen(history);
        if (oldSize != history.size) revert Lapsed(history.size, history.head);
        // Roots do not bind sizes, heads do: whoever builds on another history of this size has forked.
        if (oldSize != 0 && headOf(hashId, oldSize, oldRoot) != history.head) revert Conflict(oldSize, history.head);
        if (!isExtension(hashId, oldSize, oldRoot, size, root, consistency)) revert NoExtension(oldSize, size);

        history.head = head;
        history.size = size;
        history.lastBlock = uint64(block.number);
        emit Anchored(gateway, incarnation, size, head, root, oldSize, signature);
    }

    /// Names the key that follows header `seq`. With another account it is an offer, until that account accepts it.
    function rotate(
        bytes32 gateway,
        uint32 incarnation,
        uint64 seq,
        bytes32 keyId,
        address account,
        bytes32[2] memory oldSignature,
        bytes32[2] memory newSignature
    ) public {
        History storage history = known(gateway, incarnation);
        if (isDone(history, seq, keyId, account)) return;
        if (msg.sender != history.account) revert NotTheAccount(history.account);
        requireOpen(history);
        requireNewer(history, seq);
        if (account == address(0)) revert NotAnAccount(account);
        if (keyId == 0) revert NotAKey(keyId);
        if (keyId == history.keyId) revert KeyInUse(keyId);
        bytes32 offer = keccak256(abi.encode(seq, keyId, account));
        if (history.offer == offer) return;
        emit RotationSigned(gateway, incarnation, seq, oldSignature, newSignature);
        if (account == msg.sender) {
            finishRotation(history, gateway, incarnation, seq, keyId);
        } else {
            history.offer = offer;
            emit RotationOffered(gateway, incarnation, seq, keyId, account);
        }
    }

    function acceptRotation(bytes32 gateway, uint32 incarnation, uint64 seq, bytes32 keyId) public {
        History storage history = known(gateway, incarnation);
        if (isDone(history, seq, keyId, msg.sender)) return;
        requireOpen(history);
        requireNewer(history, seq);
        if (history.offer != keccak256(abi.encode(seq, keyId, msg.sender))) revert RotationNotOffered(seq);
        finishRotation(history, gateway, incarnation, seq, keyId);
    }

    /// Records two signed checkpoints of one size and two roots, ascending. Anybody may; nothing is stopped by it.
    function reportFork(
        bytes32 gateway,
        uint32 incarnation,
        uint64 size,
        bytes32[2] memory roots,
        bytes32[2] memory signatureA,
        bytes32[2] memory signatureB
    ) public {
        known(gateway, incarnation);
        if (size == 0 || size > LARGEST_SIZE) revert NotASize(size);
        if (roots[0] >= roots[1]) revert NotAFork();
        bytes32 report = keccak256(abi.encode(size, roots, signatureA, signatureB));
        if (reports[gateway][incarnation][report] != 0) return;
        reports[gateway][incarnation][report] = uint64(block.number);
        emit ForkReported(gateway, incarnation, report, size, roots, signatureA, signatureB);
    }

    /// For the registrar who has checked both SM2 signatures of a report, which the chain cannot.
    function confirmFork(bytes32 gateway, uint32 incarnation, bytes32 report) public onlyRegistrar {
        History storage history = known(gateway, incarnation);
        if (reports[gateway][incarnation][report] == 0) revert NotReported(report);
        if (history.standing & FROZEN != 0) return;
        history.standing |= FROZEN;
        emit Frozen(gateway, incarnation, report);
    }

    function revoke(bytes32 gateway, uint32 incarnation) public onlyRegistrar {
        History storage history = known(gateway, incarnation);
        if (history.standing & REVOKED != 0) return;
        history.standing |= REVOKED;
        emit Revoked(gateway, incarnation);
    }

    function setCadence(bytes32 gateway, uint32 incarnation, uint32 cadenceSeconds) public onlyRegistrar {
        known(gateway, incarnation).cadenceSeconds = cadenceSeconds;
        emit CadenceSet(gateway, incarnation, cadenceSeconds);
    }

    /// All of it zero where the incarnation was never admitted.
    function historyOf(bytes32 gateway, uint32 incarnation) public view returns (History memory) {
        return histories[gateway][incarnation];
    }

    function newestOf(bytes32 gateway) public view returns (bool isRegistered, uint32 incarnation) {
        uint64 next = newest[gateway];
        return next == 0 ? (false, 0) : (true, uint32(next - 1));
    }

    /// The block in which a fork was reported, or 0.
    function reportedIn(bytes32 gateway, uint32 incarnation, bytes32 report) public view returns (uint64) {
        return reports[gateway][incarnation][report];
    }

    /// Whether the hash that this chain calls keccak256 is SM3, by a known answer.
    function computesSm3() public pure returns (bool) {
        bytes32 answer;
        assembly ("memory-safe") {
            // Beyond the end of the call data there are zeros: of a literal the compiler would put Keccak's answer here.
            mstore(0, calldataload(calldatasize()))
            answer := keccak256(0, 32)
        }
        return answer == SM3_OF_32_ZEROS;
    }

    /// RFC 9162 section 2.1.4.2: whether the tree (size, root) begins with all of the tree (oldSize, oldRoot).
    function isExtension(
        uint8 hashId,
        uint64 oldSize,
        bytes32 oldRoot,
        uint64 size,
        bytes32 root,
        bytes32[] memory consistency
    ) public view returns (bool) {
        if (oldSize > size) return false;
        uint256 length = consistency.length;
        if (oldSize == 0 && oldRoot != (hashId == SM3 ? SM3_OF_NOTHING : SHA256_OF_NOTHING)) return false;
        if (oldSize == size) return length == 0 && oldRoot == root;
        if (oldSize == 0) return length == 0;

        (uint256 first, uint256 second) = (oldSize - 1, size - 1);
        while (first & 1 == 1) (first, second) = (first >> 1, second >> 1);
        // The whole old tree is a subtree of the new one where its size is a power of two: its root is known then.
        uint256 i = first == 0 ? 0 : 1;
        if (i > length) return false;
        bytes32 oldHash = i == 0 ? oldRoot : consistency[0];
        bytes32 newHash = oldHash;
        for (; i < length; i++) {
            if (second == 0) return false;
            bytes32 next = consistency[i];
            if (first & 1 == 1 || first == second) {
                oldHash = nodeOf(hashId, next, oldHash);
                newHash = nodeOf(hashId, next, newHash);
                while (first & 1 == 0 && first != 0) (first, second) = (first >> 1, second >> 1);
            } else {
                newHash = nodeOf(hashId, newHash, next);
            }
            (first, second) = (first >> 1, second >> 1);
        }
        return second == 0 && oldHash == oldRoot && newHash == root;
    }

    /// The same functions by the selectors of a guomi chain's own tools, which hash signatures with SM3.
    fallback(bytes calldata input) external returns (bytes memory) {
        if (input.length < 4) revert UnknownFunction(bytes4(input));
        bytes4 selector = bytes4(input[:4]);
        bytes calldata words = input[4:];
        if (selector == 0x89183265) {
            (bytes32 a, uint32 b, uint8 c, address d, bytes32 e, uint32 f) = abi.decode(words, (bytes32, uint32, uint8, address, bytes32, uint32));
            admit(a, b, c, d, e, f);
            return '';
        }
        if (selector == 0xa2c19737) {
            (bytes32 a, uint32 b, uint64 c, bytes32 d, uint64 e, bytes32 f, bytes32[] memory g, bytes32[2] memory h) = abi.decode(words, (bytes32, uint32, uint64, bytes32, uint64, bytes32, bytes32[], bytes32[2]));
            anchor(a, b, c, d, e, f, g, h);
            return '';
        }
        if (selector == 0x15e9fe9f) {
            (bytes32 a, uint32 b, uint64 c, bytes32 d, address e, bytes32[2] memory f, bytes32[2] memory g) = abi.decode(words, (bytes32, uint32, uint64, bytes32, address, bytes32[2], bytes32[2]));
            rotate(a, b, c, d, e, f, g);
            return '';
        }
        if (selector == 0xfd010d84) {
            (bytes32 a, uint32 b, uint64 c, bytes32 d) = abi.decode(words, (bytes32, uint32, uint64, bytes32));
            acceptRotation(a, b, c, d);
            return '';
        }
        if (selector == 0x9df07b45) {
            (bytes32 a, uint32 b, uint64 c, bytes32[2] memory d, bytes32[2] memory e, bytes32[2] memory f) = abi.decode(words, (bytes32, uint32, uint64, bytes32[2], bytes32[2], bytes32[2]));
            reportFork(a, b, c, d, e, f);
            return '';
        }
        if (selector == 0xd3a2016b) {
            (bytes32 a, uint32 b, bytes32 c) = abi.decode(words, (bytes32, uint32, bytes32));
            confirmFork(a, b, c);
            return '';
        }
        if (selector == 0xacac200d) {
            (bytes32 a, uint32 b) = abi.decode(words, (bytes32, uint32));
            revoke(a, b);
            return '';
        }
        if (selector == 0x7919d408) {
            (bytes32 a, uint32 b, uint32 c) = abi.decode(words, (bytes32, uint32, uint32));
            setCadence(a, b, c);
            return '';
        }
        if (selector == 0x88979d86) {
            (bytes32 a, uint32 b) = abi.decode(words, (bytes32, uint32));
            return abi.encode(historyOf(a, b));
        }
        if (selector == 0x68717a6f) {
            (bool isRegistered, uint32 incarnation) = newestOf(abi.decode(words, (bytes32)));
            return abi.encode(isRegistered, incarnation);
        }
        if (selector == 0xd294c977) {
            (bytes32 a, uint32 b, bytes32 c) = abi.decode(words, (bytes32, uint32, bytes32));
            return abi.encode(reportedIn(a, b, c));
        }
        if (selector == 0x63c7b003) {
            return abi.encode(registrar);
        }
        if (selector == 0xa46aa188) {
            return abi.encode(computesSm3());
        }
        if (selector == 0x87933add) {
            (uint8 a, uint64 b, bytes32 c, uint64 d, bytes32 e, bytes32[] memory f) = abi.decode(words, (uint8, uint64, bytes32, uint64, bytes32, bytes32[]));
            return abi.encode(isExtension(a, b, c, d, e, f));
        }
        revert UnknownFunction(selector);
    }

    function known(bytes32 gateway, uint32 incarnation) private view returns (History storage history) {
        history = histories[gateway][incarnation];
        if (history.standing == 0) {
            if (newest[gateway] == 0) revert Unregistered(gateway);
            revert IncarnationUnknown(gateway, incarnation);
        }
    }

    function requireOpen(History storage history) private view {
        uint8 standing = history.standing;
        if (standing == ADMITTED) return;
        if (standing & REVOKED != 0) revert IncarnationRevoked();
        if (standing & CLOSED != 0) revert IncarnationClosed(history.size, history.head);
        revert IncarnationFrozen();
    }

    /// Without this an old rotation could be replayed after its key had come back.
    function requireNewer(History storage history, uint64 seq) private view {
        if (seq >= LARGEST_SIZE) revert NotASize(seq);
        if (history.rotatedBy > seq) revert RotationLapsed(history.rotatedBy - 1);
    }

    function isDone(History storage history, uint64 seq, bytes32 keyId, address account) private view returns (bool) {
        uint64 rotatedBy = history.rotatedBy;
        return rotatedBy != 0 && rotatedBy - 1 == seq && history.keyId == keyId && history.account == account;
    }

    function finishRotation(
        History storage history,
        bytes32 gateway,
        uint32 incarnation,
        uint64 seq,
        bytes32 keyId
    ) private {
        history.rotatedBy = seq + 1;
        history.keyId = keyId;
        history.account = msg.sender;
        history.offer = 0;
        emit Rotated(gateway, incarnation, seq, keyId, msg.sender);
    }

    function headOf(uint8 hashId, uint64 size, bytes32 root) private view returns (bytes32) {
        return hashOf(hashId, 3, bytes32(uint256(size) << 192), 8, root);
    }

    function nodeOf(uint8 hashId, bytes32 left, bytes32 right) private view returns (bytes32) {
        return hashOf(hashId, 1, left, 32, right);
    }

    /// H(prefix ‖ the first bytes of `a` ‖ b). Hash id 1 is admitted only where keccak256 is SM3.
    function hashOf(uint8 hashId, uint8 prefix, bytes32 a, uint256 bytesOfA, bytes32 b) private view returns (bytes32 h) {
        assembly ("memory-safe") {
            let at := mload(0x40)
            let length := add(bytesOfA, 33)
            mstore8(at, prefix)
            mstore(add(at, 1), a)
            mstore(add(add(at, 1), bytesOfA), b)
            switch hashId
            case 1 {
                h := keccak256(at, length)
            }
            default {
                let hasRun := staticcall(gas(), 2, at, length, 0, 32)
                // On a chain without this precompile the call succeeds as well, and gives nothing.
                if iszero(and(hasRun, eq(returndatasize(), 32))) {
                    revert(0, 0)
                }
                h := mload(0)
            }
        }
    }
}
