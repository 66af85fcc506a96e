"""Ed25519 over links and commits, trusted keys, receipts (docs/proof-format.md, 7)."""
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import CanNotTell, Differs, canonical, leaf_hash, node_hash, sha


def load_keys(path):
    with open(path, encoding='utf-8') as file:
        value = json.load(file)
    keys = value.get('keys') if isinstance(value, dict) else value
    if not isinstance(keys, list):
        raise CanNotTell('the keys file has no keys')
    return {k['kid']: k for k in keys if sha(bytes.fromhex(k['public_key'])).hex()[:16] == k['kid']}


def holds(key, text, signature):
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key['public_key'])).verify(bytes.fromhex(signature), text.encode())
        return True
    except (InvalidSignature, ValueError):
        return False


def trusted(keys, carried):
    """The given keys and those that one of them signed."""
    out = dict(keys)
    grew = True
    while grew:
        grew = False
        for k in carried:
            by = out.get(k.get('signed_by'))
            if k['kid'] in out or by is None or not isinstance(k.get('signature'), str) or not isinstance(k.get('public_key'), str):
                continue
            said = canonical({'kid': k['kid'], 'public_key': k['public_key'], 'signed_by': by['kid'], 'v': 1, 'valid_from': k.get('valid_from')})
            if holds(by, said, k['signature']) and sha(bytes.fromhex(k['public_key'])).hex()[:16] == k['kid']:
                out[k['kid']] = k
                grew = True
    return out


def path_root(leaf, path):
    """Root over a leaf and its siblings from the leaf up; None where the path has not the tree's shape."""
    at, end, hashes = path['index'], path['count'] - 1, list(path['hashes'])
    if not 0 <= at <= end:
        return None
    while end > 0:
        if at % 2 or at != end:
            if not hashes:
                return None
            other = bytes.fromhex(hashes.pop(0))
            leaf = node_hash(other, leaf) if at % 2 else node_hash(leaf, other)
        at, end = at // 2, end // 2
    return leaf.hex() if not hashes else None


def why_not(receipt, keys):
    key = keys.get(receipt['kid'])
    if key is None:
        return 'is by a key that is not trusted'
    link = {n: receipt[n] for n in ('assessment', 'aseq', 'hash')}
    try:
        if receipt.get('path'):
            root = path_root(leaf_hash(canonical(link).encode()), receipt['path'])
            said = canonical({'commit': root, 'count': receipt['path']['count'], 'signed_at': receipt['signed_at']})
        else:
            said = canonical({**link, 'signed_at': receipt['signed_at']})
    except (KeyError, TypeError, ValueError):
        return 'does not hold'
    if not holds(key, said, receipt['signature']):
        return 'does not hold'
    if receipt['signed_at'] < key['valid_from'] or key.get('valid_to') is not None and receipt['signed_at'] > key['valid_to']:
        return 'is by a key that was not valid at that time'
    return None


def check_receipt(receipt, envelope, records, hashes, keys):
    n = receipt.get('aseq') if isinstance(receipt, dict) else None
    mseq = records[n]['mseq'] if isinstance(n, int) and 0 <= n < len(records) else None
    if mseq is None or receipt.get('hash') != hashes[n] or receipt.get('assessment') != envelope['assessment']:
        return [Differs(f'the receipt of record {n} is not in the chain', mseq, n)]
    why = why_not(receipt, trusted(keys, envelope['keys'])) if keys else None
    return [Differs(f'the signature of the receipt of record {n} {why}', mseq, n)] if why else []


def check_signatures(envelope, records, hashes, keys, whole):
    out, signed, known = [], set(), trusted(keys, envelope['keys'])
    for r in envelope['receipts']:
        n = r['aseq']
        signed.add(n)
        if not 0 <= n < len(records) or r['hash'] != hashes[n] or r.get('assessment') != envelope['assessment']:
            out.append(Differs(f'a signature for record {n} is not of this chain', records[min(max(n, 0), len(records) - 1)]['mseq'], n))
            continue
        why = why_not(r, known) if keys else None
        if why:
            out.append(Differs(f'the signature of record {n} {why}', records[n]['mseq'], n))
    commands = [n for n, r in enumerate(records) if r['kind'] == 'command'] + [len(records)]
    for n, r in enumerate(records[:whole]):
        after = min((c for c in commands if c > n), default=n)
        if r['kind'] in ('verdict', 'checkpoint') and n not in signed:
            out.append(Differs(f'the {r["kind"]} at {n} is not signed', r['mseq'], n))
        if r['kind'] == 'command' and r['command'].get('op') == 'order' and (after < whole or whole == len(records)) and not signed.intersection(range(n, after)):
            out.append(Differs(f'the answer at {n} has no receipt', r['mseq'], n))
    return out
