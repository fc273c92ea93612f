#!/usr/bin/env python3
"""A second verifier for evidence v1, in the order of anchor-client/evidence/FORMAT.md; the numbers are that page's sections.

Written from the page alone, with the Python standard library and the `openssl` command (version 3), to try the page: where
this file and the other verifier disagree, one of the two is wrong, or the page is.

    verify.py FOLDER               every case of FOLDER/manifest.json, a JSON line each
    verify.py --flips FOLDER NAME [N]  that case with each (N-th) bit of its file flipped in turn: "BIT LETTERS"
    verify.py FILE [--trust T] [--expect STREAM,FROM,TO]... [--max-lag MS]
"""
import datetime
import functools
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from types import SimpleNamespace as Fields

class Refused(Exception):
    """The line that is being judged is FAIL; the text is the reason."""

def need(ok, why):
    if not ok:
        raise Refused(why)

# ---- 1 Encoding ----------------------------------------------------------------------------------------------------------

LARGEST = 2**53 - 1

def decode(data):
    value, end = item(data, 0, 1)
    need(end == len(data), 'bytes after the item')
    return value

def item(data, at, depth):
    need(at < len(data), 'cut short')
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        need(low in (20, 21, 22), 'a float or another simple value')
        return {20: False, 21: True, 22: None}[low], at
    need(major < 5 and low < 28, 'a map, a tag or an indefinite length')
    n = low
    if low >= 24:
        width = 1 << low - 24
        need(at + width <= len(data), 'cut short')
        n, at = int.from_bytes(data[at:at + width], 'big'), at + width
        need(n >= (24, 2**8, 2**16, 2**32)[low - 24], 'not the shortest form')
    if major < 2:
        value = n if major == 0 else -1 - n
        need(abs(value) <= LARGEST, 'an integer beyond 2^53 - 1')
        return value, at
    need(n <= len(data) - at, 'a length beyond the input')  # an element of an array takes at least one byte
    if major == 4:
        need(depth <= 10, 'nested too deep')
        values = []
        for _ in range(n):
            value, at = item(data, at, depth + 1)
            values.append(value)
        return values, at
    value = data[at:at + n]
    if major == 3:
        need(n <= 256, 'a text too long')
        try:
            value = value.decode('utf-8')
        except UnicodeDecodeError:
            raise Refused('not UTF-8') from None
    return value, at + n

def encode(value):
    """Only of what has to be made again: segments, anchors, witness entries."""
    def head(major, n):
        if n < 24:
            return bytes([major << 5 | n])
        low = (n >= 2**8) + (n >= 2**16) + (n >= 2**32)
        return bytes([major << 5 | 24 + low]) + n.to_bytes(1 << low, 'big')
    if value is None:
        return b'\xf6'
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, list):
        return head(4, len(value)) + b''.join(map(encode, value))
    return head(0, value)

# A shape takes a decoded item and refuses it or returns it in a handier form.

def such(test, what):
    def shape(x):
        need(test(x), 'not ' + what)
        return x
    return shape

def integer(least, most):
    return such(lambda x: type(x) is int and least <= x <= most, 'an integer from %d to %d' % (least, most))
def bytestring(least, most=None):
    return such(lambda x: type(x) is bytes and least <= len(x) <= (most or least), 'the bytes expected')
def text(most):
    return such(lambda x: type(x) is str and 1 <= len(x.encode()) <= most, 'a text of 1 to %d bytes' % most)
def matching(pattern):
    return such(lambda x: type(x) is str and re.fullmatch(pattern, x), 'a text like ' + pattern)
def maybe(of):
    return lambda x: None if x is None else of(x)

def array(least, most, of):
    def shape(x):
        need(type(x) is list and least <= len(x) <= most, 'not an array of %d to %d' % (least, most))
        return [of(one) for one in x]
    return shape

def fields(**shapes):
    """An array of just these elements in this order."""
    def shape(x):
        need(type(x) is list and len(x) == len(shapes), 'not an array of %d' % len(shapes))
        made = Fields()
        for (name, of), one in zip(shapes.items(), x):
            try:
                setattr(made, name, of(one))
            except Refused as refusal:
                raise Refused('%s: %s' % (name, refusal)) from None
        return made
    return shape

def holding(of):
    """A byte string that holds one item of that shape; its own bytes stay at `raw`."""
    def shape(x):
        made = of(decode(anybytes(x)))
        made.raw = x
        return made
    return shape

def hashes(most):
    def shape(x):
        need(type(x) is bytes and len(x) % 32 == 0 and len(x) <= 32 * most, 'not a list of up to %d hashes' % most)
        return [x[i:i + 32] for i in range(0, len(x), 32)]
    return shape

def ascending(keys, what):
    need(all(a < b for a, b in zip(keys, keys[1:])), what + ' do not ascend')

def pairs(least, most, key, of):
    def shape(x):
        made = array(least, most, fields(key=key, value=of))(x)
        ascending([pair.key for pair in made], 'keys')
        return made
    return shape

def single(x):
    if x is None or type(x) is bool:
        return x
    return decimal(x) if type(x) is list else text(256)(x) if type(x) is str else bytestring(1, 256)(x)

def value(x):
    return several(x) if type(x) is list and not (x and type(x[0]) is int) else single(x)

def time_rules(of):
    def shape(x):
        t = of(x)
        need(t.bound is None or t.wall is not None and t.clock != 0, 'a bound without a wall or a clock')
        return t
    return shape

def known(t):
    return t is not None and t.wall is not None and t.bound is not None

anybytes, bytes32 = bytestring(0, 2**26), bytestring(32)
uint, uint32 = integer(0, LARGEST), integer(0, 2**32 - 1)
boolean = such(lambda x: type(x) is bool, 'true or false')
kind = name = matching('[a-z][a-z0-9-]{0,31}')
decimal = fields(mantissa=integer(-LARGEST, LARGEST), exponent=integer(-18, 18))
several = pairs(1, 16, matching('[a-z][A-Za-z0-9_-]{0,31}'), decimal)
details = pairs(1, 16, name, single)
wall, clock = integer(0, 253402300799999), integer(0, 3)
span = integer(0, 2**48)
time = time_rules(fields(boot=uint32, mono=uint, wall=maybe(wall), clock=clock, bound=maybe(span)))
wall_only = time_rules(fields(wall=maybe(wall), clock=clock, bound=maybe(span)))

# ---- 2 Names, ids and prefixes -------------------------------------------------------------------------------------------

def sm3_by_hand(message):
    def rol(x, n):
        return (x << n % 32 | x >> 32 - n % 32) & 0xffffffff
    v = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e]
    padded = message + b'\x80' + bytes(-(len(message) + 9) % 64) + (8 * len(message)).to_bytes(8, 'big')
    for start in range(0, len(padded), 64):
        w = [int.from_bytes(padded[start + i:start + i + 4], 'big') for i in range(0, 64, 4)]
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ rol(w[j - 3], 15)
            w.append(x ^ rol(x, 15) ^ rol(x, 23) ^ rol(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = v
        for j in range(64):
            ss1 = rol(rol(a, 12) + e + rol(0x79cc4519 if j < 16 else 0x7a879d8a, j) & 0xffffffff, 7)
            ff = a ^ b ^ c if j < 16 else a & b | a & c | b & c
            gg = e ^ f ^ g if j < 16 else e & f | ~e & g
            tt1 = ff + d + (ss1 ^ rol(a, 12)) + (w[j] ^ w[j + 4]) & 0xffffffff
            tt2 = gg + h + ss1 + w[j] & 0xffffffff
            a, b, c, d, e, f, g, h = tt1, a, rol(b, 9), c, tt2 ^ rol(tt2, 9) ^ rol(tt2, 17), e, rol(f, 19), g
        v = [x ^ y for x, y in zip(v, (a, b, c, d, e, f, g, h))]
    return b''.join(x.to_bytes(4, 'big') for x in v)

try:
    hashlib.new('sm3')
    sm3_plain = lambda message: hashlib.new('sm3', message).digest()
except ValueError:
    sm3_plain = sm3_by_hand
sm3 = functools.lru_cache(maxsize=2**16)(sm3_plain)  # the flips ask for the same hashes again and again
HASHES = {1: sm3, 2: lambda message: hashlib.sha256(message).digest()}
hash_id = integer(1, 2)

u32, u64 = (lambda n: n.to_bytes(4, 'big')), (lambda n: n.to_bytes(8, 'big'))

def commit(what, salt, content):
    return sm3(b'kedge/' + what + b'/v1\0' + salt + u32(len(content)) + content)

def head_of(c):
    return HASHES[c.hash](b'\x03' + u64(c.size) + c.root)

def message(f, what, *parts):
    """The checkpoint, rotation and erase messages."""
    return sm3(b'kedge/' + what + b'/v1\0' + f.gateway + u32(f.incarnation) + b''.join(parts))

def entry_message(entry):
    return sm3(b'kedge/entry/v1\0' + entry)

P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff
B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93
N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123
SPKI = bytes.fromhex('3059301306072a8648ce3d020106082a811ccf5501822d034200')  # the DER before the 65 bytes of an SM2 key
scratch = None  # the folder for what openssl reads

def is_key(key):
    x, y = int.from_bytes(key[1:33], 'big'), int.from_bytes(key[33:], 'big')
    return len(key) == 65 and key[0] == 4 and x < P and y < P and (y * y - x * x * x + 3 * x - B) % P == 0

@functools.lru_cache(maxsize=2**16)
def signed(key, message, signature):
    r, s = int.from_bytes(signature[:32], 'big'), int.from_bytes(signature[32:], 'big')
    if not (is_key(key) and 1 <= r < N and 1 <= s < N):
        return False
    def der(n):
        content = n.to_bytes(n.bit_length() // 8 + 1, 'big')
        return bytes([2, len(content)]) + content
    paths = {}
    body = der(r) + der(s)
    for what, content in (('key', SPKI + key), ('in', message), ('sig', bytes([0x30, len(body)]) + body)):
        paths[what] = os.path.join(scratch, what)
        with open(paths[what], 'wb') as out:
            out.write(content)
    return subprocess.run(
        ['openssl', 'pkeyutl', '-verify', '-pubin', '-keyform', 'DER', '-inkey', paths['key'], '-rawin', '-digest', 'sm3',
         '-in', paths['in'], '-sigfile', paths['sig'], '-pkeyopt', 'distid:1234567812345678'],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

def openssl_works():
    """The example of GB/T 32918.5, and the same under another message."""
    key = bytes.fromhex('0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020'
                        'ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13')
    signature = bytes.fromhex('f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3'
                              'b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa')
    try:
        return signed(key, b'message digest', signature) and not signed(key, b'message', signature)
    except OSError:
        return False

# ---- 3 Trees -------------------------------------------------------------------------------------------------------------

def node(left, right):
    return sm3(b'\x01' + left + right)

def inclusion(hashed, leaf, index, size, path):
    """The root that the path leads to."""
    need(index < size, 'a position beyond the tree')
    at, last, root = index, size - 1, leaf
    for sibling in path:
        need(last > 0, 'a path too long')
        if at & 1 or at == last:
            root = hashed(b'\x01' + sibling + root)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            root = hashed(b'\x01' + root + sibling)
        at, last = at >> 1, last >> 1
    need(last == 0, 'a path too short')
    return root

def aligned(c, d):
    """The heights of the aligned nodes of [c, d)."""
    heights = []
    while c < d:
        k = (d - c).bit_length() - 1
        heights.append(min(k, (c & -c).bit_length() - 1) if c else k)
        c += 1 << heights[-1]
    return heights

def push(peaks, height, root):
    """Peaks are the maximal complete subtrees of [0, m), largest first: for m = a they are the left list."""
    while peaks and peaks[-1][0] == height:
        root, height = node(peaks.pop()[1], root), height + 1
    peaks.append((height, root))

def root_at(peaks, m, size, right=()):
    """The root of the tree of that size, from the peaks of [0, m) and the right list of a range that ends at m."""
    lefts, rights = [root for _, root in peaks], list(right)
    if size == m:  # then even the last peak, with nothing to its right, is joined to those before
        need(not rights, 'the right list is too long')
        return functools.reduce(lambda right, left: node(left, right), reversed(lefts))
    def walk(lo, hi):
        if hi <= m:
            return lefts.pop(0)
        if lo >= m:
            need(rights, 'the right list is too short')
            return rights.pop(0)
        k = 1 << (hi - lo - 1).bit_length() - 1
        return node(walk(lo, lo + k), walk(lo + k, hi))
    root = walk(0, size)
    need(not rights, 'the right list is too long')
    return root

# ---- 4 Streams -----------------------------------------------------------------------------------------------------------

positive = integer(1, LARGEST)
PROMISES = {1: ('counter', fields(modulus=integer(2, 2**48), ms=integer(1, 2**48))),
            2: ('period', fields(ms=integer(1, 2**48), tolerance=span)),
            3: ('events', fields(ms=integer(1, 2**48)))}

def promise(x):
    need(type(x) is list and x and type(x[0]) is int and x[0] in PROMISES, 'not a promise')
    what, shape = PROMISES[x[0]]
    made = shape(x[1:])
    made.what, made.limit = what, made.ms + getattr(made, 'tolerance', 0)
    return made

def descriptor(x):
    made = fields(gateway=bytes32, incarnation=uint32, number=uint32, source=text(256), kinds=maybe(array(0, 32, kind)),
                  erasable=boolean, promise=maybe(promise), predecessor=maybe(bytes32))(x)
    ascending(made.kinds or [], 'kinds')
    need(not made.erasable or made.predecessor is None, 'an erasable stream with a predecessor')
    need((made.number == 0) == (made.source == 'control'), 'number 0 and the source "control" go together')
    need(made.number or made.kinds == [] and not made.erasable and made.predecessor is None, 'not as a control stream is')
    return made

def limit_of(stream):
    return stream.descriptor.promise and stream.descriptor.promise.limit

# ---- 5 Leaves and records ------------------------------------------------------------------------------------------------

def members(least):
    return pairs(0, 2**26, bytes32, integer(least, LARGEST))

READING, PRIVATE, OPEN, CLOSE, GAP, LOST, ALIVE, JOIN, DAMAGE, ERASE = 1, 2, 3, 4, 5, 6, 7, 8, 21, 22
RECORDS = {
    1: fields(kind=kind, value=value, unit=maybe(text(16)), quality=maybe(text(256)), raw=value, counter=maybe(uint), T=time,
              source=maybe(text(256)), details=maybe(details)),
    2: fields(commitments=bytestring(384)),
    3: fields(T=maybe(time), id=text(256), members=members(0)),
    4: fields(T=maybe(time), members=maybe(members(-1))),
    5: fields(T=maybe(time), cause=name, count=maybe(uint)),
    6: fields(cause=name),
    7: fields(T=maybe(time)),
    8: fields(T=maybe(time), tag=bytes32, start=uint),
    16: fields(T=time, program=text(256)),
    17: fields(T=time, bytes=anybytes),
    18: fields(T=time, descriptor=holding(descriptor)),
    19: fields(T=time),
    20: fields(T=time, key=bytestring(65), seq=uint),
    21: fields(T=time, tag=bytes32, a=uint, b=uint, size=uint, root=bytes32),
    22: fields(T=time, tag=bytes32, order=bytes32, controller=bytestring(65), signature=bytestring(64)),
    23: fields(T=time, ledger=bytes32),
    24: fields(T=time, name=name, bytes=anybytes),
}
FIELDS = (kind, value, maybe(text(16)), maybe(text(256)), value, maybe(uint), uint32, uint, wall_only, maybe(text(256)),
          maybe(details), maybe(fields(low=decimal, high=decimal)))

def record(x):
    need(type(x) is list and x and type(x[0]) is int and x[0] in RECORDS, 'not a record')
    made = RECORDS[x[0]](x[1:])
    made.code = x[0]
    need(made.code != DAMAGE or made.a < made.b <= made.size, 'damage of no leaf, or beyond its size')
    return made

def field(x):
    need(type(x) is list and len(x) == 2 and type(x[0]) is int and 0 <= x[0] < len(FIELDS), 'not a field')
    return Fields(number=x[0], content=FIELDS[x[0]](x[1]))

def leaf(x):
    """A leaf or a run. `code` is the opened record's; `opened` holds the opened fields of a private reading by number."""
    made = Fields(form='hidden', code=None, record=None, openings=[], opened={}, count=1)
    if type(x) is bytes:
        made.commit = bytes32(x)
    elif type(x) is list and x and type(x[0]) is int:
        run = fields(count=positive, nodes=hashes(128))(x)
        made.form, made.count, made.nodes = 'run', run.count, run.nodes
    else:
        need(type(x) is list and len(x) in (2, 3), 'not a leaf')
        made.record = holding(record)(x[1])
        made.form, made.code, made.commit = 'opened', made.record.code, commit(b'leaf', bytestring(16)(x[0]), x[1])
        need(len(x) == 2 + (made.code == PRIVATE), 'a private reading without openings, or another record with them')
        made.openings = [] if len(x) == 2 else array(1, 12, fields(salt=bytestring(16), field=holding(field)))(x[2])
        ascending([o.field.number for o in made.openings], 'field numbers')
        made.opened = {o.field.number: o.field.content for o in made.openings}
    return made

def is_reading(one):
    return one.form == 'hidden' or one.code in (READING, PRIVATE)

def time_of(one):
    """The T of a record, or of a private reading with 6, 7 and 8 opened; else None."""
    if {6, 7, 8} <= one.opened.keys():
        return Fields(boot=one.opened[6], mono=one.opened[7], **vars(one.opened[8]))
    return getattr(one.record, 'T', None)

def wall_of(one):
    return one.opened.get(8) or getattr(one.record, 'T', None)

# ---- 6 Batch, header, checkpoint -----------------------------------------------------------------------------------------

def header(x):
    made = fields(version=integer(1, 1), gateway=bytes32, incarnation=uint32, seq=uint, root=bytes32, segments=uint,
                  wall=maybe(wall), bound=maybe(span), beacon=maybe(fields(ledger=bytes32, height=uint, hash=bytes32)),
                  previous=maybe(fields(incarnation=uint32, size=positive, hash=hash_id, root=bytes32)),
                  rotation=maybe(fields(key=bytestring(65), signature=bytestring(64))))(x)
    need(made.bound is None or made.wall is not None, 'a bound without a wall')
    need(made.previous is None or made.seq == 0 and made.incarnation > made.previous.incarnation,
         'a previous checkpoint where none can be')
    return made

# ---- 7 Anchors -----------------------------------------------------------------------------------------------------------

# Kind 1

witness_proof = fields(key=bytestring(65), rules=integer(0, 1), number=uint, previous=bytes32, wall=maybe(wall),
                       signature=bytestring(64))
beacon_proof = fields(key=bytestring(65), entry=anybytes, signature=bytestring(64))
entry_start = fields(type=uint, rules=integer(0, 1), number=uint, previous=bytes32, wall=maybe(wall))

def judge_anchor(f, c, anchor):
    """What an anchor says of its checkpoint; `ledger` is the pinned one, `right` that it runs the code or rules it should."""
    made = Fields(holds=False, ledger=None, right=False, continuity=False, time=None, standing=anchor.kind == 2)
    try:
        (judge_witness if anchor.kind == 1 else judge_evm)(f, c, anchor.proof, made)
        made.holds = True
    except Refused:
        made.ledger, made.continuity = None, False
    return made

def judge_witness(f, c, proof, made):
    need(len(proof) <= 1024, 'too long')
    p = witness_proof(decode(proof))
    entry = encode([1, p.rules, p.number, p.previous, p.wall, f.gateway, f.incarnation, c.size, c.hash, head_of(c)])
    need(signed(p.key, entry_message(entry), p.signature), 'not signed')
    made.height, made.time = p.number, p.wall
    made.ledger = pinned_as(f, 1, sm3(p.key))
    made.right = made.ledger is not None and made.ledger.rules == p.rules
    made.continuity = made.right and p.rules == 1

def pinned_as(f, kind, ledger):
    one = f.trust and f.trust.ledgers.get(ledger)
    return one if one and one.kind == KINDS[kind] else None

KINDS = {1: 'witness', 2: 'evm'}

def judge_beacon(f, beacon, proof):
    """The wall of the entry or block that the proof gives for the beacon, and whether it is final."""
    if proof.kind == 2:
        return beacon_block(f, beacon, proof.proof)
    need(len(proof.proof) <= 4096, 'too long')
    p = beacon_proof(decode(proof.proof))
    entry = decode(p.entry)
    need(type(entry) is list, 'not an entry')
    start = entry_start(entry[:5])
    m = entry_message(p.entry)
    need(sm3(p.key) == beacon.ledger and start.number == beacon.height and m == beacon.hash, 'another entry')
    need(signed(p.key, m, p.signature), 'not signed')
    return start.wall, True

# Kind 2

def rotations():
    """How far a lane of Keccak turns, at x + 5 y."""
    x, y, turns = 1, 0, {(0, 0): 0}
    for t in range(24):
        turns[x, y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return [turns[i % 5, i // 5] for i in range(25)]

def round_constants():
    constants, bits = [], 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            constant |= (bits & 1) << (1 << j) - 1
            bits = bits << 1 ^ (0x171 if bits & 0x80 else 0)
        constants.append(constant)
    return constants

TURNS, CONSTANTS, LANE = rotations(), round_constants(), 2**64 - 1
# Where lane i of a round comes from, once rho and pi are done: it goes from (x, y) to (y, 2 x + 3 y).
MOVES = sorted(((i // 5) + 5 * ((2 * (i % 5) + 3 * (i // 5)) % 5), i, TURNS[i]) for i in range(25))
BESIDE = [(i, i - i % 5 + (i + 1) % 5, i - i % 5 + (i + 2) % 5) for i in range(25)]

@functools.lru_cache(maxsize=2**14)
def keccak(message):
    a = [0] * 25
    padded = bytearray(message + b'\x01' + bytes(-(len(message) + 1) % 136))
    padded[-1] |= 0x80
    for start in range(0, len(padded), 136):
        for i in range(17):
            a[i] ^= int.from_bytes(padded[start + 8 * i:start + 8 * i + 8], 'little')
        for constant in CONSTANTS:
            c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
            d = [c[x - 1] ^ (c[(x + 1) % 5] << 1 & LANE | c[(x + 1) % 5] >> 63) for x in range(5)]
            b = []
            for _, i, turn in MOVES:
                lane = a[i] ^ d[i % 5]
                b.append((lane << turn | lane >> 64 - turn) & LANE)
            a = [b[i] ^ ~b[j] & b[k] for i, j, k in BESIDE]
            a[0] ^= constant
    return b''.join(lane.to_bytes(8, 'little') for lane in a[:4])

def u256(n):
    return n.to_bytes(32, 'big')

def rlp(data):
    items, end = rlp_item(data, 0, len(data), 0)
    need(end == len(data), 'bytes after the item')
    return items

def rlp_item(data, at, limit, depth):
    need(at < limit, 'cut short')
    first = data[at]
    if first < 0x80:
        return data[at:at + 1], at + 1
    is_list = first >= 0xc0
    n, at = first - (0xc0 if is_list else 0x80), at + 1
    if n > 55:
        width = n - 55
        need(width <= 4 and at + width <= limit, 'a length too long')
        n = int.from_bytes(data[at:at + width], 'big')
        need(data[at] != 0 and n > 55, 'a length not in its shortest form')
        at += width
    need(n <= limit - at, 'a length beyond the input')
    end = at + n
    if not is_list:
        need(n != 1 or data[at] >= 0x80, 'a byte that should stand for itself')
        return data[at:end], end
    need(depth < 32, 'nested too deep')
    items = []
    while at < end:
        one, at = rlp_item(data, at, end, depth + 1)
        items.append(one)
    return items, end

def rlp_encode(x):
    content = b''.join(map(rlp_encode, x)) if type(x) is list else x
    if type(x) is bytes and len(x) == 1 and x[0] < 0x80:
        return x
    short, length = (0xc0 if type(x) is list else 0x80), u64(len(content)).lstrip(b'\0')
    return bytes([short + len(content)] if len(content) < 56 else [short + 55 + len(length)]) + (
        length if len(content) > 55 else b'') + content

def rlp_number(x, most):
    need(type(x) is bytes and len(x) <= 8 and x[:1] != b'\0', 'not a number')
    need(int.from_bytes(x, 'big') <= most, 'a number too large')
    return int.from_bytes(x, 'big')

def rlp_list(x, *lengths):
    need(type(x) is list and len(x) in lengths, 'not a list, or of another length')
    return x

@functools.lru_cache(maxsize=2**12)
def block_header(raw):
    items = rlp_list(rlp(raw), *range(15, 33))
    need(all(type(x) is bytes for x in items) and len(items[0]) == len(items[3]) == len(items[5]) == 32, 'not a header')
    return Fields(hash=keccak(raw), parent=items[0], state=items[3], receipts=items[5], number=rlp_number(items[8], LARGEST),
                  time=1000 * rlp_number(items[11], 253402300799), sealer=functools.lru_cache(lambda: sealer(items)))

def blocks_of(raws):
    headers = [block_header(raw) for raw in raws]
    for before, h in zip(headers, headers[1:]):
        need(h.parent == before.hash and h.number == before.number + 1, 'a header that does not follow')
    return headers

FIELD = 2**256 - 2**32 - 977
ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141
BASE = (0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,
        0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8)

def add(p, q):
    """Of two points of secp256k1; None is the one at infinity."""
    if p is None or q is None:
        return p or q
    (x, y), (u, v) = p, q
    if x == u and (y + v) % FIELD == 0:
        return None
    slope = 3 * x * x * pow(2 * y, -1, FIELD) if x == u else (v - y) * pow(u - x, -1, FIELD)
    z = (slope * slope - x - u) % FIELD
    return z, (slope * (x - z) - y) % FIELD

def times(k, p):
    total = None
    while k:
        total, p, k = add(total, p) if k & 1 else total, add(p, p), k >> 1
    return total

def sealer(items):
    """The address that sealed a header, or None."""
    extra = items[12]
    r, s, v = (int.from_bytes(part, 'big') for part in (extra[-65:-33], extra[-33:-1], extra[-1:]))
    if len(extra) < 97 or v > 1 or not 1 <= r < ORDER or not 1 <= s <= ORDER // 2:
        return None
    square = (r ** 3 + 7) % FIELD
    y = pow(square, (FIELD + 1) // 4, FIELD)
    if y * y % FIELD != square:
        return None
    point = r, y if y % 2 == v else FIELD - y
    digest = int.from_bytes(keccak(rlp_encode(items[:12] + [extra[:-65]] + items[13:])), 'big')
    inverse = pow(r, -1, ORDER)
    key = add(times(s * inverse % ORDER, point), times(-digest * inverse % ORDER, BASE))
    return key and keccak(u256(key[0]) + u256(key[1]))[12:]

def value_of(root, key, nodes):
    """The value to which the nodes lead from the root."""
    path, left, reference = key.hex(), list(nodes), root
    while True:
        need(type(reference) is bytes and len(reference) == 32 and left, 'no such entry, or a node is missing')
        raw = left.pop(0)
        need(keccak(raw) == reference, 'a node that does not follow')
        node = rlp_list(rlp(raw), 2, 17)
        if len(node) == 17:
            need(path, 'a key that ends in a branch')
            reference, path = node[int(path[0], 16)], path[1:]
            continue
        need(type(node[0]) is bytes and node[0], 'not a part of a path')
        part = node[0].hex()
        flag = int(part[0], 16)
        need(flag < 4 and (flag % 2 or part[1] == '0'), 'not a part of a path')
        part = part[1 if flag % 2 else 2:]
        need((part or flag > 1) and path.startswith(part), 'another path')
        path = path[len(part):]
        if flag > 1:
            need(not path and not left and type(node[1]) is bytes, 'a key that goes on, a node too many, or no value')
            return node[1]
        reference = node[1]

def each_of(least, most, most_bytes):
    return array(least, most, bytestring(0, most_bytes))

headers_shape = each_of(1, 128, 16384)
state_proof = fields(form=integer(1, 1), contract=bytestring(20), account=each_of(1, 64, 1024), slot=each_of(1, 64, 1024),
                     headers=headers_shape)
receipt_proof = fields(form=integer(2, 2), contract=bytestring(20), index=integer(0, 2**24 - 1), nodes=each_of(1, 16, 65536),
                       log=integer(0, 2**24 - 1), headers=headers_shape)
EXTENDING = {bytes.fromhex('527e329ba770bbdbe7aab026a6397843197897328450bb20798eecc0fc035c59')}
ANCHORED = keccak(b'Anchored(bytes32,uint32,uint64,bytes32,bytes32,uint64,bytes32[2])')

def judge_evm(f, c, proof, made):
    x = decode(proof)
    need(type(x) is list and len(x) in (5, 6), 'not a proof')
    p = (state_proof if len(x) == 5 else receipt_proof)(x)
    headers = blocks_of(p.headers)
    code = code_holding(f, c, p, headers[0].state) if p.form == 1 else require_event(f, c, p, headers[0].receipts)
    made.height, made.time = headers[0].number, headers[0].time
    ledgers = f.trust.ledgers.values() if f.trust else ()
    vouching = [one for one in ledgers if one.kind == 'evm' and one.contract == p.contract and vouches(one, headers)]
    made.ledger = vouching[0] if vouching else None
    made.right = made.ledger is not None and code in (None, made.ledger.codeHash)
    made.continuity = made.right and code in EXTENDING

def code_holding(f, c, p, root):
    account = rlp_list(rlp(value_of(root, keccak(p.contract), p.account)), 4)
    need(all(type(x) is bytes and len(x) == 32 for x in account[2:]), 'not an account')
    base = keccak(u256(f.incarnation) + keccak(f.gateway + u256(0)))
    need(rlp(value_of(account[2], keccak(base), p.slot)) == head_of(c).lstrip(b'\0'), 'another head')
    return account[3]

def require_event(f, c, p, root):
    receipt = value_of(root, keccak_key(p.index), p.nodes)
    _, _, _, logs = made = rlp_list(rlp(receipt[1:] if 0 < (receipt or b'\0')[0] < 0x80 else receipt), 4)
    need(made[0] == b'\1' and type(logs) is list and p.log < len(logs), 'a transaction that failed, or no such event')
    address, topics, content = rlp_list(logs[p.log], 3)
    need(address == p.contract and topics == [ANCHORED, f.gateway, u256(f.incarnation), u256(c.size)], 'another event')
    need(type(content) is bytes and len(content) == 160 and content[:64] == head_of(c) + c.root, 'an event of another root')

def keccak_key(index):
    return rlp_encode(u64(index).lstrip(b'\0'))

def contradicted(one, headers):
    return any(one.blocks.get(h.number, h.hash) != h.hash for h in headers)

def vouches(one, headers):
    if contradicted(one, headers) or headers[-1].number in one.blocks:
        return not contradicted(one, headers)
    def in_force(h):
        return next((addresses for start, addresses in reversed(one.signers) if start <= h.number), frozenset())
    enough = max(len(in_force(h)) // 2 + 1 for h in headers)
    if not in_force(headers[-1]) or headers[-1].sealer() not in in_force(headers[-1]):
        return False
    over = headers[1:one.confirmations + 1]
    if len(over) < one.confirmations or any(not in_force(h) or h.sealer() not in in_force(h) for h in over):
        return False
    sealers = set()
    for h in headers[:2 * enough]:
        if in_force(h) and h.sealer() in in_force(h):
            sealers.add(h.sealer())
        if len(sealers) >= enough:
            return True
    return False

def beacon_block(f, beacon, proof):
    first, *_ = headers = blocks_of(fields(headers=headers_shape)(decode(proof)).headers)
    need(first.number == beacon.height and first.hash == beacon.hash, 'another block')
    one = pinned_as(f, 2, beacon.ledger)
    need(one is None or not contradicted(one, headers), 'trust has another block of that height')
    return first.time, one is not None and vouches(one, headers)

# ---- 8 The file ----------------------------------------------------------------------------------------------------------

ledger_proof = fields(kind=integer(1, 2), proof=bytestring(0, 2**20))
file_shape = fields(
    streams=array(1, 1024, fields(tag=bytes32, descriptor=holding(descriptor))),
    ranges=array(1, 4096, fields(stream=uint, a=uint, left=hashes(128), leaves=array(1, 2**20, leaf), right=hashes(128))),
    seals=array(1, 64, fields(
        header=holding(header),
        segments=array(1, 1024, fields(stream=uint, position=uint, size=positive, root=bytes32, path=hashes(64))),
        beacon_proof=maybe(ledger_proof),
        checkpoints=array(1, 8, fields(size=positive, hash=hash_id, root=bytes32, key=bytestring(65), signature=bytestring(64),
                                       path=hashes(64), anchors=array(0, 8, ledger_proof))))))

def line_file(f):
    need(len(f.data) <= 2**26, 'larger than 64 MiB')
    need(f.data[:6] == b'KEDGE\x01', 'not evidence v1')
    vars(f).update(vars(file_shape(decode(f.data[6:]))))
    need(sum(len(r.leaves) for r in f.ranges) <= 2**20, 'too many leaves')
    for r in f.ranges:
        r.b = r.a
        for one in r.leaves:
            one.index, r.b = r.b, r.b + one.count
        need(not any(x.form == y.form == 'run' for x, y in zip(r.leaves, r.leaves[1:])), 'two damaged runs in a row')
        need(r.b <= LARGEST, 'a range beyond 2^53 - 1')
    for part in f.ranges + [part for seal in f.seals for part in seal.segments]:
        need(part.stream < len(f.streams), 'a stream that is not there')
        part.stream = f.streams[part.stream]
    f.checkpoints = [c for seal in f.seals for c in seal.checkpoints]
    need(len(f.checkpoints) + sum(len(c.anchors) for c in f.checkpoints)
         + sum((seal.beacon_proof is not None) + (seal.header.rotation is not None) for seal in f.seals)
         + sum(one.code == ERASE for r in f.ranges for one in r.leaves) <= 1024, 'too many signatures')

# ---- 9 The trust file ----------------------------------------------------------------------------------------------------

def read_time(x, later=False):
    """Milliseconds since 1970, or None; `later` of what is finer than a millisecond makes one more."""
    m = type(x) is str and re.fullmatch(r'([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})'
                                        r'(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))', x)
    if not m:
        return None
    year, month, day, hour, minute, second, off_hour, off_minute = (int(m[i] or 0) for i in (1, 2, 3, 4, 5, 6, 9, 10))
    try:  # Python's years begin with 1, so count from a year that is a multiple of 400 years (146,097 days) away
        days = datetime.date(2000 + year % 400, month, day).toordinal() - datetime.date(1970, 1, 1).toordinal()
    except ValueError:
        return None
    if max(hour, off_hour) > 23 or max(minute, off_minute, second) > 59:
        return None
    days += (year // 400 - 5) * 146097
    offset = (off_hour * 60 + off_minute) * (-1 if m[8] == '-' else 1)
    fraction = (m[7] or '').ljust(9, '0')
    ms = ((days * 24 + hour) * 60 + minute - offset) * 60000 + second * 1000 + int(fraction[:3])
    return ms + 1 if later and int(fraction[3:]) else ms

def strict_json(data):
    def refuse(why):
        raise Refused(why)
    def pairs(found):
        keys = [key for key, _ in found]
        need(len(set(keys)) == len(keys), 'given twice: %s' % [key for key in set(keys) if keys.count(key) > 1])
        return dict(found)
    def whole(digits):
        need(len(digits) < 20 and abs(int(digits)) <= LARGEST, '%.30s: beyond 2^53 - 1' % digits)
        return int(digits)
    need(len(data) <= 2**20, 'larger than 1 MiB')
    try:
        source, depth = data.decode('utf-8'), 0
        for bracket in re.findall(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', source, re.DOTALL):
            depth += (bracket in '[{') - (bracket in ']}')
            need(depth <= 16, 'nested deeper than 16')
        return json.loads(source, object_pairs_hook=pairs, parse_int=whole, parse_constant=lambda x: refuse(x + ': not JSON'),
                          parse_float=lambda x: refuse('%.30s: a fraction or exponent' % x))
    except ValueError as error:
        raise Refused('not JSON in UTF-8: %s' % error) from None

def table(**shapes):
    """An object with these keys; a shape in a pair with a default need not be there."""
    def shape(x):
        need(type(x) is dict, 'not an object')
        made = {}
        for key in [key for key in x if key not in shapes] + list(shapes):
            try:
                need(key in shapes, 'not a key of the trust file')
                of, *default = shapes[key] if type(shapes[key]) is tuple else (shapes[key],)
                need(key in x or default, 'missing')
                made[key] = of(x[key]) if key in x else default[0]
            except Refused as refusal:
                raise Refused('.%s%s' % (key, at(refusal))) from None
        return Fields(**made)
    return shape

def each(of, *once):
    """An array whose elements differ in those keys."""
    def shape(x):
        need(type(x) is list, 'not an array')
        made, seen = [], set()
        for i, one in enumerate(x):
            try:
                made.append(of(one))
                identity = tuple(getattr(made[-1], key) for key in once)
                need(identity not in seen, 'given twice')
                seen.add(identity)
            except Refused as refusal:
                raise Refused('[%d]%s' % (i, at(refusal))) from None
        return made
    return shape

def at(refusal):
    return str(refusal) if str(refusal)[0] in '.[' else ': %s' % refusal

def digits(count):
    shape = matching('[0-9a-f]{%d}' % count)
    return lambda x: bytes.fromhex(shape(x))

def moment(x):
    need(read_time(x) is not None, 'not a time')
    return read_time(x)

def public_key(x):
    return such(is_key, 'a point of the SM2 curve')(digits(130)(x))

def label(x):
    need(type(x) is str and not re.search('[\ud800-\udfff]', x), 'not a text, or one with half a surrogate pair')
    return text(256)(x)

def pinned_ledger(x):
    need(type(x) is dict, 'not an object')
    shape = LEDGERS.get(x.get('kind')) if type(x.get('kind')) is str else None
    need(shape, 'no kind of ledger, or none that is known')
    made = shape(x)
    if made.kind == 'witness':
        made.id, made.rules = sm3(made.publicKey), {'any': 0, 'extensions': 1}[made.rules]
    else:
        ascending([getattr(one, 'from') for one in made.signers], 'the heights of signers')
        made.id = sm3(b'kedge/evm/v1\0' + u64(made.chainId) + made.genesis + made.contract)
        made.signers = [(getattr(one, 'from'), frozenset(one.addresses)) for one in made.signers]
        made.blocks = {one.height: one.hash for one in made.blocks}
    return made

def addresses(x):
    made = array(1, 255, digits(40))(x)
    need(len(set(made)) == len(made), 'an address twice')
    return made

every_ledger = dict(kind=text(16), name=(maybe(label), None), independent=(boolean, False), required=(boolean, False),
                    clockToleranceMs=(uint, 0))
LEDGERS = {
    'witness': table(publicKey=public_key, rules=(such(lambda x: x in ('extensions', 'any'), '"extensions" or "any"'), 'extensions'),
                     **every_ledger),
    'evm': table(chainId=positive, genesis=digits(64), contract=digits(40), codeHash=digits(64),
                 signers=(each(table(addresses=addresses, **{'from': (uint, 0)}), 'from'), []),
                 blocks=(each(table(height=uint, hash=digits(64)), 'height'), []),
                 confirmations=(such(lambda x: type(x) is int and 0 <= x <= 64, 'a number from 0 to 64'), 0), **every_ledger),
}

trust_shape = table(
    asOf=moment,
    gateways=each(table(gateway=digits(64), keys=each(table(
        publicKey=public_key, incarnation=uint32, compromisedAfter=(maybe(moment), None),
        **{'from': (positive, 1), 'to': (maybe(positive), None)}), 'publicKey', 'incarnation')), 'gateway'),
    ledgers=each(pinned_ledger, 'id'),
    controllers=each(table(publicKey=public_key, name=(maybe(label), None)), 'publicKey'))

def read_trust(data):
    try:
        t = trust_shape(strict_json(data))
    except Refused as refusal:
        raise ValueError('trust file' + at(refusal)) from None
    for k in (k for g in t.gateways for k in g.keys):
        if k.to is not None and k.to < getattr(k, 'from'):
            raise ValueError('trust file: a key that may sign up to %d, and from %d' % (k.to, getattr(k, 'from')))
    return Fields(ledgers={one.id: one for one in t.ledgers}, controllers={one.publicKey for one in t.controllers},
                  signers={(g.gateway, k.incarnation, k.publicKey): k for g in t.gateways for k in g.keys})

# ---- 10 Questions --------------------------------------------------------------------------------------------------------

def read_expect(question):
    stream, start, end = ([None, None] + question.rsplit(',', 2))[-3:]
    by_index = re.fullmatch('[0-9]+,[0-9]+', '%s,%s' % (start, end)) is not None
    start, end = (int(start), int(end)) if by_index else (read_time(start), read_time(end, later=True))
    if stream is None or start is None or end is None or start > end:
        raise ValueError('not STREAM,FROM,TO: ' + question)
    return Fields(stream=stream, by_index=by_index, start=start, end=end)

# ---- 11 The sixteen lines ------------------------------------------------------------------------------------------------
# A line returns the reason of NOT CHECKED, or None for PASS; it raises Refused for FAIL.

def each_seal(f, judge):
    """The worst of all seals. Each is judged before a FAIL counts: later lines use what is noted of the others."""
    reasons, refusal = [], None
    for seal in f.seals:
        try:
            reasons.append(judge(seal))
        except Refused as error:
            refusal = refusal or error
    if refusal:
        raise refusal
    return next(filter(None, reasons), None)

def line_claim(f):
    ascending([s.descriptor.number for s in f.streams], 'stream numbers')
    ascending([(r.stream.descriptor.number, r.a) for r in f.ranges], 'ranges')
    ascending([seal.header.seq for seal in f.seals], 'header seqs')
    for s in f.streams:
        s.ranges = [r for r in f.ranges if r.stream is s]
        need(s.ranges, 'a stream without a range')
        need(all(x.b < y.a for x, y in zip(s.ranges, s.ranges[1:])), 'ranges that overlap or touch')
        need(not any(r.right for r in s.ranges[:-1]), 'hashes to the right of a range that is not the last')
        s.segments = [(seal, part) for seal in f.seals for part in seal.segments if part.stream is s]
        ascending([part.size for _, part in s.segments], 'segment sizes')
        end = s.ranges[-1].b
        need([part.size >= end for _, part in s.segments].count(True) == 1, 'a stream without just one covering segment')
        need(all(part.size >= end or any(r.a < part.size <= r.b for r in s.ranges) for _, part in s.segments),
             'a segment of no range')
    for seal in f.seals:
        ascending([part.stream.descriptor.number for part in seal.segments], 'the streams of segments')
        ascending([c.size for c in seal.checkpoints], 'checkpoint sizes')
        need(len(seal.checkpoints) == 1 or all(c.anchors for c in seal.checkpoints), 'one of several checkpoints has no anchor')
        for c in seal.checkpoints:
            ascending([encode([anchor.kind, anchor.proof]) for anchor in c.anchors], 'anchors')
        need(seal.beacon_proof is None or seal.header.beacon is not None, 'a beacon proof without a beacon')

def line_stream_name(f):
    f.gateway, f.incarnation = f.streams[0].descriptor.gateway, f.streams[0].descriptor.incarnation
    for s in f.streams:
        need(s.tag == sm3(b'kedge/stream/v1\0' + s.descriptor.raw), 'a tag that is not its descriptor\'s')
        need((s.descriptor.gateway, s.descriptor.incarnation) == (f.gateway, f.incarnation), 'two gateways or incarnations')

def may_stand(one, d):
    """Whether section 5 lets the leaf stand in a stream of that descriptor."""
    if is_reading(one):
        return d.number != 0 and not (d.erasable and one.code == READING)
    if one.code in (OPEN, JOIN):
        return d.number != 0 and not d.erasable and (one.code == JOIN or one.index == 0)
    return one.code < 16 or d.number == 0

def line_disclosure(f):
    for s in f.streams:
        d = s.descriptor
        for r, one in ((r, one) for r in s.ranges for one in r.leaves):
            need(one.code != CLOSE or one is r.leaves[-1] and all(part.size <= one.index + 1 for _, part in s.segments),
                 'something follows a close')
            need(one.form == 'run' or may_stand(one, d), 'a record where it may not stand')
            if hasattr(one.record, 'T'):
                need((one.record.T is None) == d.erasable, 'T is null or not against the stream')
            for o in one.openings:
                committed = one.record.commitments[32 * o.field.number:][:32]
                need(commit(b'field', o.salt, o.field.raw) == committed, 'a field that is not its commitment')
            its_kind = getattr(one.record, 'kind', one.opened.get(0))
            need(its_kind is None or d.kinds is None or its_kind in d.kinds, 'a kind that the stream may not hold')
    return None if any(one.form == 'opened' for r in f.ranges for one in r.leaves) else 'no leaf is opened'

def line_stream(f):
    for s in f.streams:
        peaks, at = [], 0
        *inner, covering = [part for _, part in s.segments]
        def put(c, d, nodes, what):
            heights = aligned(c, d)
            need(len(nodes) == len(heights), what + ' has not as many hashes as needed')
            for height, root in zip(heights, nodes):
                push(peaks, height, root)
        for r in s.ranges:
            # From 0 the aligned nodes are the maximal complete subtrees.
            put(at, r.a, r.left, 'a left list')
            for one in r.leaves:
                end = one.index + one.count
                if one.form == 'run':
                    put(one.index, end, one.nodes, 'a run')
                else:
                    push(peaks, 0, sm3((b'\x00' if is_reading(one) else b'\x02') + one.commit))
                while inner and inner[0].size <= end:
                    part = inner.pop(0)
                    need(part.size == end, 'a segment ends inside a damaged run')
                    need(root_at(peaks, end, end) == part.root, 'not the root of an inner segment')
            at = r.b
        last = s.ranges[-1]
        need(root_at(peaks, last.b, covering.size, last.right) == covering.root, 'not the root of the covering segment')

def line_batch(f):
    for seal in f.seals:
        for part in seal.segments:
            hashed = sm3(b'\x00' + encode([part.stream.tag, part.size, part.root]))
            root = inclusion(sm3, hashed, part.position, seal.header.segments, part.path)
            need(root == seal.header.root, 'a segment is not in its batch')
        ascending([part.position for part in sorted(seal.segments, key=lambda part: part.stream.tag)], 'positions, by tag,')

def line_history(f):
    need(len({c.hash for c in f.checkpoints}) == 1, 'two hash ids')
    for seal in f.seals:
        h = seal.header
        need((h.gateway, h.incarnation) == (f.gateway, f.incarnation), 'a header of another gateway or incarnation')
        for c in seal.checkpoints:
            hashed = HASHES[c.hash]
            root = inclusion(hashed, hashed(b'\x00' + h.raw), h.seq, c.size, c.path)
            need(root == c.root, 'a header is not in its checkpoint')
    pairs = {(c.size, c.root) for c in f.checkpoints}
    need(len(pairs) == len({size for size, _ in pairs}) == len({root for _, root in pairs}),
         'one size with two roots, or one root with two sizes')

def line_signature(f):
    for c in f.checkpoints:
        m = message(f, b'checkpoint', u64(c.size), bytes([c.hash]), head_of(c))
        need(signed(c.key, m, c.signature), 'a checkpoint is not signed')
    for h in (seal.header for seal in f.seals if seal.header.rotation):
        m = message(f, b'rotation', u64(h.seq), h.rotation.key)
        need(signed(h.rotation.key, m, h.rotation.signature), 'a rotation is not signed')

def line_signer(f):
    for c in f.checkpoints:
        c.judged = [judge_anchor(f, c, anchor) for anchor in c.anchors]
    if f.trust is None:
        return 'no trust file'
    for c in f.checkpoints:
        k = f.trust.signers.get((f.gateway, f.incarnation, c.key))
        need(k, 'a key that is not trusted for this gateway and incarnation')
        need(getattr(k, 'from') <= c.size and (k.to is None or c.size <= k.to), 'a key that is not trusted for this size')
        need(k.compromisedAfter is None or any(
            j.holds and j.ledger and j.ledger.independent and j.time is not None
            and j.time + j.ledger.clockToleranceMs <= k.compromisedAfter for j in c.judged), 'a key that was compromised')

def line_anchor(f):
    def judge(seal):
        judged = [j for c in seal.checkpoints for j in c.judged]
        need(all(j.holds for j in judged), 'an anchor does not hold')
        pinned = [j for j in judged if j.ledger]
        seal.held, seal.candidates = pinned, [j for j in pinned if j.ledger.independent] or pinned
        if not pinned:
            return 'no anchor of a pinned ledger'
        if not all(any(j.ledger is one for j in pinned) for one in f.trust.ledgers.values() if one.required):
            return 'no anchor of a required ledger'
    for seal in f.seals:
        seal.held = seal.candidates = []
    return each_seal(f, judge)

def line_continuity(f):
    for seal in f.seals:
        need(all(j.right for j in seal.candidates), 'a witness of other rules than the trust file says')
    last = {}
    for c in sorted(f.checkpoints, key=lambda c: c.size):
        for j in (j for j in c.judged if j.continuity):
            last.setdefault(j.ledger.id, []).append((c.size, j.height, j.standing))
    for heights in last.values():
        need(all((height == other or standing) if size == larger else (height < other) for size, height, standing in heights
                 for larger, other, _ in heights if size <= larger), 'a smaller history after a larger one')
    through = set.intersection(*({j.ledger.id for j in seal.held if j.continuity} for seal in f.seals))
    if not any(independent(seal) for seal in f.seals):
        through = {key for key in through if f.trust.ledgers[key].independent}
    return None if through else 'no one ledger gives continuity in every seal'

def independent(seal):
    return None if any(j.ledger.independent for j in seal.candidates) else 'no anchor of an independent ledger'

def line_independent(f):
    return each_seal(f, independent)

def first_seal(r, one):
    return next(seal for seal, part in r.stream.segments if part.size > one.index)

def line_fixed_before(f):
    lags = []
    for seal in f.seals:
        seal.fixed = seal.tolerance = None
    def judge(seal):
        dating = [j for j in seal.candidates if j.continuity] or seal.candidates
        times = [(j.time, j.ledger.clockToleranceMs) for j in dating if j.time is not None]
        if independent(seal) or not times:
            return independent(seal) or 'no anchor with a time'
        seal.fixed, seal.tolerance = min(times)
        opened = [(r, one) for r in f.ranges for one in r.leaves if one.form == 'opened']
        for t in filter(known, [seal.header] + [wall_of(one) for r, one in opened if first_seal(r, one) is seal]):
            need(t.wall <= seal.fixed + t.bound + seal.tolerance, 'a time after the anchor that fixed it at %d' % seal.fixed)
            lags.append(seal.fixed - t.wall + t.bound)
    reason = each_seal(f, judge)
    if not reason:
        times = ', '.join(str(seal.fixed) for seal in f.seals)
        f.reasons['fixed-before'] = 'fixed at %s, worst lag %s ms' % (times, max(lags, default='unknown'))
    return reason

def line_sealed_after(f):
    def judge(seal):
        if seal.beacon_proof is None:
            return 'no beacon proof'
        h = seal.header
        its_wall, final = judge_beacon(f, h.beacon, seal.beacon_proof)
        pinned = pinned_as(f, seal.beacon_proof.kind, h.beacon.ledger)
        if not (pinned and pinned.independent):
            return 'the beacon is of no pinned and independent ledger'
        if not final:
            return 'the block of the beacon is not final'
        need(its_wall is None or seal.fixed is None
             or its_wall <= seal.fixed + seal.tolerance + pinned.clockToleranceMs, 'sealed after it was fixed')
        need(its_wall is None or not known(h) or h.wall + h.bound + pinned.clockToleranceMs >= its_wall,
             'a header that states a time before its beacon')
    return each_seal(f, judge)

def control_records(f, code):
    return [one.record for r in f.ranges if r.stream.descriptor.number == 0 for one in r.leaves if one.code == code]

def line_erased(f):
    orders = [(s, order) for order in control_records(f, ERASE) for s in f.streams if s.tag == order.tag]
    for s in f.streams:
        s.erased = any(s is erased for erased, _ in orders)
    for s, order in orders:
        need(s.descriptor.erasable, 'an erase record of a stream that is not erasable')
        m = message(f, b'erase', order.tag, order.order)
        need(signed(order.controller, m, order.signature), 'an order to erase is not signed')
        need(not any(one.code in (READING, PRIVATE) for r in s.ranges for one in r.leaves), 'an erased reading is opened')
    if not orders:
        return 'no erase record'
    if not (f.trust and all(order.controller in f.trust.controllers for _, order in orders)):
        return 'the controller is not in the trust file'

# ---- 12 Completeness -----------------------------------------------------------------------------------------------------

def elapsed(x, y, limit):
    """None where it is unknown."""
    both = []
    if x and y and x.boot == y.boot:
        both.append(y.mono - x.mono)
    if known(x) and known(y) and (both or x.bound + y.bound <= limit):
        both.append(y.wall - x.wall - x.bound - y.bound)
    return max(both, default=None)

def within(x, y, limit):
    span = elapsed(x, y, limit)
    return span is not None and abs(span) <= limit

def known_reading(one):
    return one.code == READING or {0, 1, 5, 6, 7, 8} <= one.opened.keys()

def place(r, one):
    return '%s, leaf %d' % (r.stream.descriptor.source, one.index)

def line_complete(f):
    f.breaks, f.doubts, f.gaps, f.damage = [], [], [], control_records(f, DAMAGE)
    f.streams_by_tag, f.streams_after = {}, {}
    for s in f.streams:
        f.streams_by_tag[s.tag] = [s]
        f.streams_after.setdefault(s.descriptor.predecessor, []).append(s)
    for r in f.ranges:
        damage(f, r)
        if not r.stream.erased:
            promises(f, r)
        shipment(f, r)
    for question in f.expects:
        expect(f, question)
    if f.max_lag is not None:
        lag(f)
    found = ['%s (%d): %s' % (what, len(which), which[0])
             for what, which in (('breaks', f.breaks), ('doubts', f.doubts), ('gaps', f.gaps)) if which]
    f.reasons['complete'] = '; '.join(found)
    need(not f.breaks, f.reasons['complete'])
    return f.reasons['complete'] if f.doubts else None

def damage(f, r):
    """What is a gap in every stream, and damage that was not declared."""
    carried = {(part.size, part.root) for _, part in r.stream.segments}
    declared = sorted((d.a, d.b) for d in f.damage if d.tag == r.stream.tag and (d.size, d.root) in carried)
    for one in r.leaves:
        if one.code in (GAP, LOST) or one.form == 'run':
            f.gaps.append(place(r, one))
        if one.form == 'run':
            reached = one.index
            for a, b in declared:
                reached = b if a <= reached < b else reached
            if reached < one.index + one.count:
                f.breaks.append(place(r, one) + ': damage that was not declared')

def promises(f, r):
    p = r.stream.descriptor.promise
    last = counter = latest = None    # P, C and W
    spare = spare_counts = quiet = 0  # A, AC and Q
    gap = gap_counts = False          # D and DC

    def judge(y, where):
        if last is None:
            return
        span = elapsed(last, y, p.limit) if p else None
        if y.boot < last.boot or y.boot == last.boot and y.mono < last.mono:
            f.breaks.append(where + ': time runs back')
        elif p is None or spare == math.inf:
            return
        elif not gap and (y.boot != last.boot or span > p.limit * (quiet + 1)):
            f.breaks.append(where + ': later than was promised')
        elif gap and p.what == 'period':
            if span is None or max(0, -((p.tolerance - span) // p.ms) - 1) > spare:
                f.breaks.append(where + ': more is missing than the gap says')
        elif gap and spare == 0 and (span is None or span > p.limit * (quiet + 1)):
            f.breaks.append(where + ': a gap of none over a silence')

    def latest_at(y):
        own = y.wall + y.bound if known(y) else None
        carried = None if latest is None or p is None or gap else latest + p.limit * (quiet + 1)
        return min((n for n in (own, carried) if n is not None), default=None)

    def judge_counter(c, where):
        if c is None or c >= p.modulus:
            f.breaks.append(where + ': no counter, or one beyond the modulus')
        elif counter is not None and (c - counter - 1) % p.modulus > (spare_counts if gap_counts else 0):
            f.breaks.append(where + ': the counter jumps')

    for one in r.leaves:
        where, y = place(r, one), time_of(one)
        if one.form == 'run' or one.code in (GAP, LOST):
            count = 1 if one.code == LOST else one.record.count if one.code == GAP else None
            spare, spare_counts = (n + (math.inf if count is None else count) for n in (spare, spare_counts))
            gap = gap_counts = True
            if one.code == GAP and y:
                judge(y, where)
                last = last or y
        elif is_reading(one) and not known_reading(one):
            f.doubts.append(where + ': a hidden reading')
            last, counter, latest, spare, spare_counts, quiet, gap, gap_counts = None, None, None, 0, 0, 0, False, False
        elif y:
            judge(y, where)
            late = latest_at(y)
            if known(y) and y.wall - y.bound > late:
                f.breaks.append(where + ': the wall clock shows a silence')
            # Where readings are promised, a sign of life does not stand for one.
            if is_reading(one) or last is None or one.code == CLOSE or not p or p.what == 'events':
                last, latest, spare, quiet, gap = y, late, 0, 0, False
            if is_reading(one) and p and p.what == 'counter':
                c = one.record.counter if one.code == READING else one.opened[5]
                judge_counter(c, where)
                counter, spare_counts, gap_counts = c, 0, False
        elif one.code == ALIVE and p and p.what == 'events':
            quiet += 1

def shipment(f, r):
    def bad(why):
        f.breaks.append('%s: %s' % (r.stream.descriptor.source, why))
    def closes(one):
        return one.code == CLOSE and one.record.members is not None
    first, last = r.leaves[0], r.leaves[-1]
    if not any(one.code == OPEN or closes(one) for one in r.leaves):
        return
    if r.a != 0 or first.code != OPEN or not closes(last):
        return bad('a shipment that is not here from open to close')
    came = [(m.key, m.value, first.record.T) for m in first.record.members]
    came += [(one.record.tag, one.record.start, one.record.T) for one in r.leaves if one.code == JOIN]
    ends = {m.key: m.value for m in last.record.members}
    if sorted(tag for tag, _, _ in came) != sorted(ends):
        return bad('the members that came are not the members at the close')
    for tag, s, o in came:
        e, close = ends[tag], last.record.T
        ranges = [m for member in f.streams_by_tag.get(tag, ()) for m in member.ranges]
        window = next((m for m in ranges if m.a <= s and m.b >= e + 1), None)
        if s - 1 > e or window is None:
            bad('a member that is not here for as long as it was in the shipment')
        elif limit_of(window.stream) is not None and not window.stream.erased:
            limit = limit_of(window.stream)
            if e < s:
                kept = within(o, close, limit)
            else:
                at_s, at_e = (next(one for one in window.leaves if one.index <= i < one.index + one.count) for i in (s, e))
                if any(hasattr(x.record, 'T') and x.record.T is None and x.code != GAP for x in (at_s, at_e)):
                    f.doubts.append('%s: an end of a member without time' % window.stream.descriptor.source)
                kept = ((not edge(at_s) or within(o, time_of(at_s), limit))
                        and (not edge(at_e) or within(time_of(at_e), close, limit)))
            if not kept:
                bad('a member silent for too long at an end of its window')

def edge(one):
    return known_reading(one) or not is_reading(one) and one.code != GAP and time_of(one) is not None

MET, MET_WITH_GAP, DOUBT, BREAK = range(4)

def end_of(f, r, question, left):
    """How the left or right end of a range answers, and the streams that were joined to find out."""
    streams = []
    while True:
        streams.append(r.stream)
        t = time_of(r.leaves[0 if left else -1])
        if not known(t):
            return DOUBT, streams
        early, late = t.wall - t.bound, t.wall + t.bound
        if late <= question.start if left else early >= question.end:
            return MET, streams
        if left:
            if r.a != 0 or early > question.end:
                return BREAK, streams
            near = [n for s in f.streams_by_tag.get(r.stream.descriptor.predecessor, ()) for n in s.ranges if joins(n, r)]
        else:
            if r.leaves[-1].code != CLOSE or late < question.start:
                return BREAK, streams
            near = [n for s in f.streams_after.get(r.stream.tag, ()) for n in s.ranges if n.a == 0 and joins(r, n)]
        if not near:
            before = r.stream.descriptor.predecessor if left else None
            return MET_WITH_GAP if before is None or before in f.streams_by_tag else DOUBT, streams
        r = near[0]

def joins(earlier, later):
    limit, close = limit_of(later.stream), earlier.leaves[-1]
    old, new = earlier.stream.descriptor, later.stream.descriptor
    return (old.source, old.kinds) == (new.source, new.kinds) and limit is not None and close.code == CLOSE and within(time_of(close), time_of(later.leaves[0]), limit)

def expect(f, question):
    def answer(r):
        if question.by_index:
            if any(one.stream is not r.stream for one in candidates):
                return DOUBT
            return MET if r.a <= question.start and question.end < r.b else BREAK
        (left, before), (right, after) = end_of(f, r, question, True), end_of(f, r, question, False)
        promised = all(limit_of(s) is not None for s in before + after)
        return max(left, right, MET if promised else DOUBT)
    is_tag = re.fullmatch('[0-9a-f]{64}', question.stream)
    candidates = [r for r in f.ranges if question.stream == (r.stream.tag.hex() if is_tag else r.stream.descriptor.source)]
    best = min(map(answer, candidates), default=BREAK)
    if best != MET:
        {MET_WITH_GAP: f.gaps, DOUBT: f.doubts, BREAK: f.breaks}[best].append('what was expected of ' + question.stream)

def lag(f):
    if f.letters['fixed-before'] != 'P':
        return f.doubts.append('the lag is not known without fixed-before')
    for r in f.ranges:
        for one in r.leaves if not r.stream.erased else ():
            t = wall_of(one)
            if known(t):
                if first_seal(r, one).fixed - (t.wall - t.bound) > f.max_lag:
                    f.breaks.append(place(r, one) + ': anchored too late')
            elif is_reading(one):
                f.doubts.append(place(r, one) + ': its lag is not known')

# ---- 13 Verdict ----------------------------------------------------------------------------------------------------------

LINES = {'file': line_file, 'claim': line_claim, 'stream-name': line_stream_name, 'disclosure': line_disclosure,
         'stream': line_stream, 'batch': line_batch, 'history': line_history, 'signature': line_signature,
         'signer': line_signer, 'anchor': line_anchor, 'continuity': line_continuity, 'independent': line_independent,
         'fixed-before': line_fixed_before, 'sealed-after': line_sealed_after, 'erased': line_erased, 'complete': line_complete}
FATAL = list(LINES)[:7]

def verify(data, trust=None, expects=(), max_lag=None):
    f = Fields(data=data, trust=trust, expects=expects, max_lag=max_lag, letters={}, reasons={})
    for name, line in LINES.items():
        reason = None
        try:
            if any(f.letters.get(earlier) == 'F' for earlier in FATAL):
                f.letters[name] = 'N'
            else:
                reason = line(f)
                f.letters[name] = 'N' if reason else 'P'
        except Refused as refusal:
            f.letters[name], reason = 'F', str(refusal)
        if reason:
            f.reasons[name] = reason
    return {'verdict': verdict(f), 'lines': ''.join(f.letters.values()), 'reasons': {k: v for k, v in f.reasons.items() if v}}

def verdict(f):
    if any(letter == 'F' for name, letter in f.letters.items() if name != 'complete'):
        return 'invalid'
    if f.letters['complete'] == 'F':
        return 'incomplete'
    if any(f.letters[name] == 'N' for name in ('complete', 'signature', 'signer', 'anchor')):
        return 'undetermined'
    if f.letters['erased'] == 'N' and any(s.erased for s in f.streams):
        return 'undetermined'
    return 'complete-with-declared-gaps' if f.gaps else 'complete'

# ---- The command line ----------------------------------------------------------------------------------------------------

def read_bytes(path):
    with open(path, 'rb') as source:
        return source.read(2**26 + 1)

def load(path, trust, expects, max_lag):
    """The arguments of verify()."""
    return read_bytes(path), trust and read_trust(read_bytes(trust)), [read_expect(one) for one in expects], max_lag

def cases(folder):
    with open(os.path.join(folder, 'manifest.json'), encoding='utf-8') as source:
        for case in json.load(source):
            trust = case['trust'] and os.path.join(folder, case['trust'])
            yield case['name'], (os.path.join(folder, case['file']), trust, case['expect'], case['maxLagMs'])

def show(name, arguments):
    print(json.dumps({'name': name, **verify(*load(*arguments))}))

def takes(trust):
    try:
        read_trust(trust)
        return True
    except ValueError:
        return False

def run(arguments):
    if len(arguments) in (3, 4) and arguments[0] == '--flips':
        data, *questions = load(*dict(cases(arguments[1]))[arguments[2]])
        for bit in range(0, 8 * len(data), int(([1] + arguments[3:])[-1])):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            print(bit, verify(bytes(flipped), *questions)['lines'])
    elif len(arguments) == 2 and arguments[0] == '--trusts':
        with open(arguments[1], encoding='utf-8') as source:
            for one in json.load(source):
                print(one['name'], 'taken' if takes(one['text'].encode()) else 'refused')
    elif len(arguments) == 1 and os.path.isdir(arguments[0]):
        for name, case in cases(arguments[0]):
            show(name, case)
    else:
        options = list(zip(arguments[1::2], arguments[2::2]))
        if len(arguments) % 2 == 0 or any(key not in ('--trust', '--expect', '--max-lag') for key, _ in options):
            raise ValueError(__doc__.split('\n\n')[2])
        given = dict(options)
        show(os.path.basename(arguments[0]), (
            arguments[0], given.get('--trust'), [value for key, value in options if key == '--expect'],
            int(given['--max-lag']) if '--max-lag' in given else None))

def main(arguments):
    global scratch
    with tempfile.TemporaryDirectory() as scratch:
        if not openssl_works():
            print('verify.py: no openssl command that can verify SM2 (version 3 is needed)', file=sys.stderr)
            return 3
        try:
            run(arguments)
        except (ValueError, KeyError, OSError) as error:
            print('verify.py: %s' % error, file=sys.stderr)
            return 2
    return 0

if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
