"""What is left of an attestation once its signatures verified: small, canonical, appraised again.

No name or number of a person's device is kept: identifiers that a phone may put into its
attestation (IMEI, serial) are read and dropped.

Source: RFC 9334, 8.1; ISO/TS 12812-2:2017, 7.2.6; 7.4.1
"""

from enum import StrEnum

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.kernel.codec import Decoder, b64url, encode_canonical
from tallystick.kernel.model import ABSENT, Absent, Record


class Level(StrEnum):
    """Where a key lives, as the evidence says it; `none` where there is no evidence of a key.

    Source: ISO/TS 12812-2:2017, 8.1.1
    """

    NONE = "none"
    SOFTWARE = "software"
    TRUSTED_ENVIRONMENT = "trusted-environment"
    STRONGBOX = "strongbox"
    SECURE_ENCLAVE = "secure-enclave"
    TPM = "tpm"
    AUTHENTICATOR = "authenticator"


class Provisioning(StrEnum):
    """How the attesting key came to the device.

    Source: RFC 9334, 7.4
    """

    NONE = "none"
    FACTORY = "factory"
    REMOTE = "remote"


class Certified(Record, frozen=True, kw_only=True):
    """A certificate of the chain: its serial in hexadecimal, its validity in ms.

    Source: RFC 5280, 4.1.2
    """

    serial: str
    not_before: int
    not_after: int


class Boot(Record, frozen=True, kw_only=True):
    """How the operating system was started: state, lock, key and hash (base64url), patches.

    `os_version` is as Android writes it (160000), patches are YYYYMM or YYYYMMDD, 0 for none.
    Source: RFC 9334, 2.1
    """

    state: str = ""
    locked: bool = False
    signer: str = ""
    digest: str = ""
    os_version: int = 0
    os_patch: int = 0
    vendor_patch: int = 0
    boot_patch: int = 0


class KeyUse(Record, frozen=True, kw_only=True):
    """What the hardware lets the key do: purposes, origin, who must be there.

    `authentication` is the bits of the kinds that verify a person, 0 where none is needed;
    `timeout` in s, 0 for each use.
    Source: ISO/TS 12812-2:2017, 8.1.5
    """

    purposes: tuple[int, ...] = ()
    origin: str = ""
    free: bool = False
    authentication: int = 0
    timeout: int = 0


class Evidence(Record, frozen=True, kw_only=True):
    """One attestation that verified. `root` is the digest of the root's key; empty for none.

    `attested` is the key attested (SubjectPublicKeyInfo, base64url), `challenge` what was signed
    into it, `above` how many certificates there were nearer to the leaf than the attested one,
    `unmarked` how many issuers are not marked as such. `versions` are those of the `packages`.
    Source: RFC 9334, 8.1
    """

    v: int = 1
    format: str
    root: str = ""
    chain: tuple[Certified, ...] = ()
    provisioning: Provisioning = Provisioning.NONE
    attested: str = ""
    challenge: str = ""
    version: int = 0
    level: Level = Level.NONE
    key_level: Level = Level.NONE
    ordered: bool = True
    above: int = 0
    unmarked: int = 0
    boot: Boot = Boot()
    use: KeyUse = KeyUse()
    packages: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()
    model: str = ""
    labels: tuple[str, ...] = ()
    counter: int = 0
    made_at: int = 0
    environment: str = ""
    versions: tuple[int, ...] | Absent = ABSENT


_DECODER = Decoder(Evidence, limit=16 * 1024)


def certified(links: tuple[Certificate, ...]) -> tuple[Certified, ...]:
    """What is kept of `links`.

    Source: RFC 5280, 4.1.2
    """
    return tuple(
        Certified(serial=f"{one.serial:x}", not_before=one.begins, not_after=one.ends)
        for one in links
    )


def packed_evidence(evidence: Evidence) -> bytes:
    """The canonical octets of `evidence`, for a store.

    Source: RFC 8785
    """
    return encode_canonical(evidence)


def read_evidence(octets: bytes) -> Evidence:
    """The evidence in `octets`.

    Raises Malformed unless they are its canonical form.
    Source: RFC 8785
    """
    return _DECODER.decode_canonical(octets)


def digest_of(evidence: Evidence) -> str:
    """SHA-256 of the canonical form, base64url.

    Source: RFC 8785; FIPS 180-4, 6.2
    """
    return b64url(sha256(encode_canonical(evidence)))


def no_evidence(environment: str) -> Evidence:
    """What there is where nothing vouches for a key: `environment` says which sort of place it is.

    Source: ISO/TS 12812-2:2017, 8.1.1
    """
    return Evidence(format="none", environment=environment)
