"""Attestation statements of WebAuthn, verified: none, packed, android-key, apple, tpm.

`fido-u2f` is refused: it names no model and verifies no person. `android-safetynet` has ended.

Source: WebAuthn Level 3, 6.5; 8
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.attestation import cbor
from tallystick.infrastructure.attestation.android.chain import evidence_of
from tallystick.infrastructure.attestation.android.description import OBJECT, read_description
from tallystick.infrastructure.attestation.evidence import Evidence, Level, certified
from tallystick.infrastructure.attestation.webauthn import tpm
from tallystick.infrastructure.attestation.webauthn.authdata import (
    BACKED_UP,
    PRESENT,
    VERIFIED,
    AuthenticatorData,
    Credential,
    read_authenticator_data,
)
from tallystick.infrastructure.attestation.webauthn.clientdata import CREATE, check_client_data
from tallystick.infrastructure.crypto import der
from tallystick.infrastructure.crypto.digest import named_digest, sha256
from tallystick.infrastructure.crypto.path_rules import (
    ANDROID,
    APPLE,
    AUTHENTICATORS,
    MAX_CHAIN,
)
from tallystick.infrastructure.crypto.paths import Rules, path_of
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge

MODEL: Final = "1.3.6.1.4.1.45724.1.1.4"
"""The extension of a certificate that names the model of an authenticator."""

_NONCE: Final = "1.2.840.113635.100.8.2"
_NONCE_TAG: Final = 0xA1
_USAGE, _ALTERNATIVE = "2.5.29.37", "2.5.29.17"
_TPM_USAGE: Final = b"\x06\x05\x67\x81\x05\x08\x03"
_UNIT: Final = "Authenticator Attestation"
_HASHES: Final = {-7: "sha256", -35: "sha384", -36: "sha512", -257: "sha256"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of the browser: for which relying party, from where, with which challenge.

    Source: WebAuthn Level 3, 7.1
    """

    relying: str
    origins: tuple[str, ...]
    challenge: bytes
    framed: bool = False
    verify_person: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with what it is over.

    Source: WebAuthn Level 3, 6.5
    """

    members: dict[int | str, cbor.Item]
    data: AuthenticatorData
    credential: Credential
    client: bytes
    roots: Sequence[Certificate]

    def signed(self) -> bytes:
        """What most formats sign: authenticator data and the hash of the client data.

        Source: WebAuthn Level 3, 6.5
        """
        return self.data.octets + self.client

    def links(self) -> tuple[Certificate, ...]:
        """The certificates of the statement, leaf first.

        Source: WebAuthn Level 3, 8.2
        """
        stated = cbor.octets_list(self.members.get("x5c"))
        if not 0 < len(stated) <= MAX_CHAIN:
            raise TooLarge(f"a statement has 1 to {MAX_CHAIN} certificates")
        return tuple(read_certificate(one) for one in stated)


@dataclass(frozen=True, slots=True)
class Registered:
    """A credential and the evidence that came with it.

    Source: WebAuthn Level 3, 7.1
    """

    credential: Credential
    evidence: Evidence


def verify_registration(
    attested: bytes, client: bytes, asked: Asked, roots: Sequence[Certificate]
) -> Registered:
    """The credential in the attestation object `attested`, made as `asked`.

    `roots` are the believed ones for its model. Raises TooLarge, Malformed, or NotAuthentic for
    anything that does not fit.
    Source: WebAuthn Level 3, 7.1
    """
    check_client_data(
        client,
        kind=CREATE,
        challenge=asked.challenge,
        origins=asked.origins,
        framed=asked.framed,
    )
    outer = cbor.mapping(cbor.read(attested))
    if set(outer) != {"fmt", "attStmt", "authData"}:
        raise Malformed("an attestation object has three members")
    data = read_authenticator_data(cbor.octets_of(outer["authData"]))
    if data.relying != sha256(asked.relying.encode()):
        raise NotAuthentic("the credential is for another relying party")
    if not data.flags & PRESENT or (asked.verify_person and not data.flags & VERIFIED):
        raise NotAuthentic("nobody was there, or nobody was verified")
    if data.credential is None:
        raise Malformed("there is no credential in the authenticator data")
    verify = _FORMATS.get(cbor.text_of(outer["fmt"]))
    if verify is None:
        raise Malformed("a statement in a format that is not used here")
    statement = Statement(
        members=cbor.mapping(outer["attStmt"]),
        data=data,
        credential=data.credential,
        client=sha256(client),
        roots=roots,
    )
    evidence = verify(statement, asked.challenge)
    return Registered(credential=data.credential, evidence=evidence)


def _evidence(
    statement: Statement,
    challenge: bytes,
    form: str,
    level: Level,
    links: tuple[Certificate, ...] = (),
    rules: Rules = AUTHENTICATORS,
) -> Evidence:
    flags = statement.data.flags
    path = path_of(links[0], links[1:], statement.roots, rules) if links else ()
    labels = (("backed-up", BACKED_UP), ("person-verified", VERIFIED))
    return Evidence(
        format=form,
        root=path[-1].fingerprint() if path else "",
        chain=certified(links),
        attested=b64url(statement.credential.public.spki),
        challenge=b64url(challenge),
        level=level,
        key_level=level,
        model=statement.credential.aaguid.hex(),
        labels=tuple(name for name, bit in labels if flags & bit),
        counter=statement.data.counter,
    )


def _none(statement: Statement, challenge: bytes) -> Evidence:
    if statement.members:
        raise Malformed("a statement of the format none is empty")
    return _evidence(statement, challenge, "none", Level.NONE)


def _packed(statement: Statement, challenge: bytes) -> Evidence:
    algorithm = cbor.integer_of(statement.members.get("alg"))
    signature = cbor.octets_of(statement.members.get("sig"))
    if "x5c" not in statement.members:
        if algorithm != statement.credential.algorithm:
            raise NotAuthentic("a statement by the credential has its algorithm")
        statement.credential.public.verify(algorithm, signature, statement.signed())
        return _evidence(statement, challenge, "packed-self", Level.SOFTWARE)
    links = statement.links()
    leaf = links[0]
    leaf.public.verify(algorithm, signature, statement.signed())
    if leaf.version != 3 or leaf.is_authority or _UNIT not in leaf.names:
        raise NotAuthentic("the certificate is not for attestation")
    _check_model(leaf, statement.credential.aaguid)
    return _evidence(statement, challenge, "packed", Level.AUTHENTICATOR, links)


def _check_model(leaf: Certificate, aaguid: bytes) -> None:
    if MODEL not in leaf.extensions:
        return
    named = der.single(leaf.extensions[MODEL], der.OCTETS).body
    if named != aaguid or MODEL in leaf.critical:
        raise NotAuthentic("the certificate is for another model")


def _android(statement: Statement, challenge: bytes) -> Evidence:
    algorithm = cbor.integer_of(statement.members.get("alg"))
    links = statement.links()
    leaf = links[0]
    signature = cbor.octets_of(statement.members.get("sig"))
    leaf.public.verify(algorithm, signature, statement.signed())
    if leaf.public.spki != statement.credential.public.spki or OBJECT not in leaf.extensions:
        raise NotAuthentic("the certificate is for another credential")
    if any(OBJECT in one.extensions for one in links[1:]):
        raise NotAuthentic("the credential is not the key that the hardware attested")
    described = read_description(leaf.extensions[OBJECT])
    if described.challenge != statement.client:
        raise NotAuthentic("the challenge is another")
    lists = (described.software, described.hardware)
    if any("allApplications" in one.values for one in lists):
        raise NotAuthentic("the credential may be used by every application")
    root = path_of(links[0], links[1:], statement.roots, ANDROID)[-1].fingerprint()
    evidence = _evidence(statement, challenge, "webauthn-android-key", Level.NONE)
    seen = evidence_of(described, links, 0, root)
    return _joined(seen, evidence)


def _joined(seen: Evidence, evidence: Evidence) -> Evidence:
    return Evidence(
        format=evidence.format,
        root=seen.root,
        chain=seen.chain,
        provisioning=seen.provisioning,
        attested=evidence.attested,
        challenge=evidence.challenge,
        version=seen.version,
        level=seen.level,
        key_level=seen.key_level,
        ordered=seen.ordered,
        unmarked=seen.unmarked,
        boot=seen.boot,
        use=seen.use,
        packages=seen.packages,
        signers=seen.signers,
        model=evidence.model,
        labels=evidence.labels,
        counter=evidence.counter,
        made_at=seen.made_at,
    )


def apple_nonce(leaf: Certificate) -> bytes:
    """The nonce that Apple put into the certificate.

    Raises Malformed where there is none.
    Source: WebAuthn Level 3, 8.8
    """
    if _NONCE not in leaf.extensions:
        raise Malformed("the certificate has no nonce")
    tagged = der.single(leaf.extensions[_NONCE], der.SEQUENCE).holds(_NONCE_TAG)
    return tagged.holds(der.OCTETS).body


def _apple(statement: Statement, challenge: bytes) -> Evidence:
    links = statement.links()
    if apple_nonce(links[0]) != sha256(statement.signed()):
        raise NotAuthentic("the nonce is another")
    if links[0].public.spki != statement.credential.public.spki:
        raise NotAuthentic("the certificate is for another credential")
    return _evidence(statement, challenge, "apple", Level.SECURE_ENCLAVE, links, APPLE)


def _tpm(statement: Statement, challenge: bytes) -> Evidence:
    members = statement.members
    algorithm = cbor.integer_of(members.get("alg"))
    if members.get("ver") != "2.0" or algorithm not in _HASHES:
        raise Malformed("a TPM of another version, or an algorithm that is not used here")
    area = tpm.read_public_area(cbor.octets_of(members.get("pubArea")))
    stated = cbor.octets_of(members.get("certInfo"))
    said = tpm.read_certified(stated)
    if area.public.spki != statement.credential.public.spki or said.name != area.name:
        raise NotAuthentic("the TPM certified another key")
    if said.extra != named_digest(_HASHES[algorithm], statement.signed()):
        raise NotAuthentic("the TPM certified for another registration")
    links = statement.links()
    leaf = links[0]
    leaf.public.verify(algorithm, cbor.octets_of(members.get("sig")), stated)
    usage = leaf.extensions.get(_USAGE, b"")
    if (
        leaf.version != 3
        or leaf.is_authority
        or leaf.subject
        or _ALTERNATIVE not in leaf.extensions
    ):
        raise NotAuthentic("the certificate is not for attestation")
    if _TPM_USAGE not in usage:
        raise NotAuthentic("the certificate is not one of a TPM")
    _check_model(leaf, statement.credential.aaguid)
    return _evidence(statement, challenge, "tpm", Level.TPM, links)


_FORMATS: Final[dict[str, Callable[[Statement, bytes], Evidence]]] = {
    "none": _none,
    "packed": _packed,
    "android-key": _android,
    "apple": _apple,
    "tpm": _tpm,
}
