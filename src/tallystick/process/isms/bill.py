"""The inventory as a bill of cryptography that other tools read: algorithms, keys, certificates.

    algorithm                 each mechanism that something in use is of, with its strength
    related-crypto-material   each key of the key store, never its value
    kept                      how many things are protected by a mechanism: properties of it

Source: OWASP CycloneDX 1.6, cryptoProperties; ISO/TS 12812-2:2017, 7.4.2; C
"""

from typing import Final

from tallystick.infrastructure.crypto.registry import Mechanism, Sort, mechanism
from tallystick.kernel.errors import NotFound
from tallystick.kernel.time import Instant, iso_utc
from tallystick.process.conformance.attestations import SCHEMA
from tallystick.process.conformance.oscal.blocks import Json, Node, node
from tallystick.process.conformance.oscal.names import stamp, uuid_of
from tallystick.process.isms.inventory import InUse, Inventory, KeyInUse, in_use

_PRIMITIVES: Final[dict[Sort, str]] = {
    Sort.CIPHER: "block-cipher",
    Sort.MODE: "block-cipher",
    Sort.STREAM: "stream-cipher",
    Sort.SEALING: "ae",
    Sort.FORMAT: "block-cipher",
    Sort.HASH: "hash",
    Sort.MAC: "mac",
    Sort.SIGNATURE: "signature",
    Sort.RECOVERY: "signature",
    Sort.ENCRYPTION: "pke",
    Sort.AGREEMENT: "key-agree",
    Sort.ENCAPSULATION: "kem",
    Sort.PASSWORD: "kdf",
    Sort.DERIVATION: "kdf",
    Sort.RANDOM: "drbg",
}
_FUNCTIONS: Final[dict[Sort, tuple[Json, ...]]] = {
    Sort.CIPHER: ("encrypt", "decrypt"),
    Sort.SEALING: ("encrypt", "decrypt"),
    Sort.HASH: ("digest",),
    Sort.MAC: ("tag",),
    Sort.SIGNATURE: ("sign", "verify"),
    Sort.ENCRYPTION: ("encrypt", "decrypt"),
    Sort.DERIVATION: ("keyderive",),
    Sort.PASSWORD: ("keyderive",),
    Sort.ENCAPSULATION: ("encapsulate", "decapsulate"),
}
_SECRET: Final = frozenset({Sort.CIPHER, Sort.SEALING, Sort.MAC, Sort.DERIVATION})


def bill(found: Inventory, *, provider: str, version: str, now: Instant) -> Node:
    """The document; a mechanism that the registry does not know is there without strength.

    Source: OWASP CycloneDX 1.6, cryptoProperties
    """
    rows = in_use(found, now)
    components: list[Json] = [_algorithm(one, found) for one in rows if one.mechanism]
    components += [_key(one) for one in found.keys]
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid_of('cryptography', provider, str(now))}",
        "version": 1,
        "metadata": {
            "timestamp": stamp(now),
            "tools": {
                "components": [{"type": "application", "name": "tallystick", "version": version}]
            },
            "component": {
                "type": "platform",
                "bom-ref": "platform",
                "name": provider,
                "version": version,
            },
        },
        "components": components,
        "dependencies": [
            {"ref": "platform", "dependsOn": [_ref(one.mechanism) for one in rows if one.mechanism]}
        ],
    }


def _ref(name: str) -> str:
    return f"algorithm/{name}"


def _algorithm(row: InUse, found: Inventory) -> Node:
    try:
        known: Mechanism | None = mechanism(row.mechanism)
    except NotFound:
        known = None
    sort = None if known is None else known.sort
    counted: list[Json] = [
        {"name": f"tallystick:kept:{one.kind}", "value": str(one.count)}
        for one in found.kept
        if one.mechanism == row.mechanism
    ]
    said: list[Json] = [
        {"name": "tallystick:status", "value": row.status},
        {"name": "tallystick:standard", "value": row.standard},
        {"name": "tallystick:keys", "value": str(row.keys)},
        {"name": "tallystick:ends", "value": row.ends},
    ]
    functions = () if sort is None else _FUNCTIONS.get(sort, ("other",))
    properties: Node = {
        "assetType": "algorithm",
        "algorithmProperties": node(
            {
                "primitive": "unknown" if sort is None else _PRIMITIVES.get(sort, "other"),
                "executionEnvironment": "software-plain-ram",
                "implementationPlatform": "generic",
                "certificationLevel": ["none"],
                "cryptoFunctions": list(functions),
                "classicalSecurityLevel": row.strength_bits,
                "nistQuantumSecurityLevel": row.quantum_level,
            }
        ),
    }
    if known is not None and known.oid:
        properties["oid"] = known.oid
    return {
        "type": "cryptographic-asset",
        "bom-ref": _ref(row.mechanism),
        "name": row.mechanism,
        "cryptoProperties": properties,
        "properties": [*said, *counted],
    }


def _key(one: KeyInUse) -> Node:
    try:
        secret = mechanism(one.mechanism).sort in _SECRET
    except NotFound:
        secret = False
    material: Node = {
        "type": "secret-key" if secret else "private-key",
        "id": one.id,
        "state": "active",
        "algorithmRef": _ref(one.mechanism),
        "creationDate": iso_utc(one.created),
        "securedBy": {"mechanism": "Software", "algorithmRef": _ref(one.wrapped_by)},
    }
    if one.ends:
        material["expirationDate"] = iso_utc(one.ends)
    return {
        "type": "cryptographic-asset",
        "bom-ref": f"key/{one.id}",
        "name": f"{one.purpose} {one.id}",
        "cryptoProperties": {
            "assetType": "related-crypto-material",
            "relatedCryptoMaterialProperties": material,
        },
    }
