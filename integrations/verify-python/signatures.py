"""Ed25519 over links and commits, trusted keys, receipts (docs/proof-format.md, 7)."""
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from archive import Differs, canonical, leaf_hash, node_hash, sha

def holds(key, said, signature):
    try:
        public = bytes.fromhex(key['public_key'])
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(signature), said.encode())
        return sha(public).hex()[:16] == key['kid']
    except (InvalidSignature, ValueError, TypeError, KeyError):
        return False

def trusted(keys, carried):
    """The given keys and those that one of them signed."""
    out, known = {k['kid']: k for k in keys}, -1
    while known != len(out):
        known = len(out)
        for k in carried:
            said = {n: k.get(n) for n in ('kid', 'public_key', 'signed_by', 'valid_from')}
            own = sha(bytes.fromhex(k['public_key'])).hex()[:16] == k['kid']
            by, said = out.get(said['signed_by']), canonical({**said, 'v': 1})
            if own and by and holds(by, said, k['signature']):
                out.setdefault(k['kid'], k)
    return out

def path_root(leaf, path):
    """Root over a leaf and its siblings from the leaf up; None where the path has not the tree's shape."""
    at, end, siblings = path['index'], path['count'] - 1, iter(path['hashes'])
    while 0 <= at <= end and end:
        if at % 2 or at != end:
            other = bytes.fromhex(next(siblings, ''))
            leaf = node_hash(other, leaf) if at % 2 else node_hash(leaf, other)
        at, end = at // 2, end // 2
    return leaf.hex() if at == end == 0 and next(siblings, None) is None else None

def why_not(receipt, keys):
    key, link, at = keys.get(receipt['kid']), {n: receipt[n]
                                               for n in ('assessment', 'aseq', 'hash')}, receipt['signed_at']
    if key is None: return 'is by a key that is not trusted'
    said, path = {**link, 'signed_at': at}, receipt.get('path')
    try:
        said = {'commit': path_root(leaf_hash(link), path), 'count': path['count'],
                'signed_at': at} if path else said
    except (KeyError, TypeError, ValueError):
        return 'does not hold'
    if not holds(key, canonical(said), receipt['signature']): return 'does not hold'
    return None if key['valid_from'] <= at <= (key.get('valid_to')
                                               or at) else 'is by a key that was not valid then'

def check_receipts(receipts, envelope, records, hashes, keys):
    """Receipts must be of this chain, and signed by a trusted key where any is given."""
    known = trusted(keys, envelope['keys'])
    for r in receipts:
        n = r['aseq']
        of_chain = 0 <= n < len(records) and r['hash'] == hashes[n]
        of_chain = of_chain and r.get('assessment') == envelope['assessment']
        why = (why_not(r, known) if keys else None) if of_chain else 'is not of this chain'
        if why:
            yield Differs(f'the signature of record {n} {why}',
                          records[min(max(n, 0), len(records) - 1)]['mseq'], n)

def check_signed(receipts, records, whole):
    """Every verdict, every checkpoint and every answer to an order is signed."""
    signed, commands = {r['aseq'] for r in receipts}, [n for n,
                                                       r in enumerate(records) if r['kind'] == 'command']
    for n, r in enumerate(records[:whole]):
        after = next((c for c in commands if c > n), len(records))
        order = r['kind'] == 'command' and r['command']['op'] == 'order'
        late = order and (after < whole or whole == len(records)) and not signed & set(range(n, after))
        if r['kind'] in ('verdict', 'checkpoint') and n not in signed or late:
            yield Differs(f'the {r["kind"]} at {n} is not signed', r['mseq'], n)
