"""The files of a bundle that are no OSCAL: basis, proofs, lock, tables, and the recipe.

    attestations.cdx.json   the findings as attestations of CycloneDX
    evidence.json     the basis: every observation, check, decision and exception
    proofs.json       the key list, and a receipt for each log record that evidence rests on
    mfs-lock.json     versions and digests of all that is not JSON
    applicability.csv, observations.csv, certificates.csv, README.txt
    manifest.tsr      a time stamp over the envelope, where an authority gave one

Source: ISO/TS 12812-2:2017, 9.1; 7.3.3
"""

from collections.abc import Mapping
from typing import Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.model import Record
from tallystick.process.conformance.basis import LIMIT, Basis, Stamping
from tallystick.process.conformance.findings import Finding, counts
from tallystick.protocol.receipt import Receipt

EVIDENCE: Final = "evidence.json"
PROOFS: Final = "proofs.json"
LOCK: Final = "mfs-lock.json"
MANIFEST: Final = "manifest.json"
ENVELOPE: Final = "manifest.dsse.json"
PUBLIC_HALF: Final = "signer.pem"
APPLICABILITY: Final = "applicability.csv"
OBSERVATIONS: Final = "observations.csv"
CERTIFICATES: Final = "certificates.csv"
ATTESTATIONS: Final = "attestations.cdx.json"
STAMP: Final = "manifest.tsr"
README: Final = "README.txt"

TIME_STAMPS: Final = {
    Stamping.STAMPED: f"{STAMP}, over {ENVELOPE}",
    Stamping.NOT_ASKED: "none: no authority was asked; see README.txt",
    Stamping.OUTAGE: "none: the authority gave none when the bundle was made; see README.txt",
}
"""What the lock says of the time stamp."""


class Proofs(Record, frozen=True, kw_only=True):
    """What proves that records are in the log: the signed key list, and a receipt for each.

    No field of a receipt is disclosed: personal data stays behind its commitments.
    Source: ISO/TS 12812-2:2017, 7.3.3; 14.2.1; RFC 9162, 2.1.3
    """

    v: int = 1
    key_list: str
    receipts: tuple[Receipt, ...]


class Lock(Record, frozen=True, kw_only=True):
    """What the bundle was made of, and the digests (hex) of its files that are not JSON.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    v: int = 1
    provider: str
    tool: str
    version: str
    made_at: int
    start: int
    policy_version: int
    policy: str
    catalogue: str
    dossier: str
    commit: str
    log_origin: str
    log_size: int
    log_root: str
    counts: dict[str, int]
    rows: int
    time_stamp: str
    files: dict[str, str]


_proofs: Final = Decoder(Proofs, limit=LIMIT)
_locks: Final = Decoder(Lock, limit=LIMIT)


def read_proofs(octets: bytes) -> Proofs:
    """The proofs in `octets`, in their canonical form only.

    Raises Malformed.
    Source: RFC 9162, 2.1.3
    """
    return _proofs.decode_canonical(octets)


def read_lock(octets: bytes) -> Lock:
    """The lock in `octets`, in its canonical form only.

    Raises Malformed.
    Source: RFC 8785
    """
    return _locks.decode_canonical(octets)


def lock_of(basis: Basis, found: tuple[Finding, ...], others: Mapping[str, bytes]) -> bytes:
    """The lock of a bundle made from `basis`, over `others`, the files that are not JSON.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    held, log = basis.held, basis.log
    return encode_canonical(
        Lock(
            provider=basis.provider,
            tool=basis.tool,
            version=basis.version,
            made_at=basis.made_at,
            start=basis.start,
            policy_version=held.policy_version,
            policy=held.policy,
            catalogue=held.catalogue,
            dossier=held.dossier,
            commit=held.commit,
            log_origin=log.origin,
            log_size=log.size,
            log_root=log.root,
            counts=counts(found),
            rows=len(found),
            time_stamp=TIME_STAMPS[basis.stamping],
            files={name: sha256(octets).hex() for name, octets in sorted(others.items())},
        )
    )


def readme(basis: Basis) -> bytes:
    """How to check the bundle with programs of others only.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    stamp = _STAMPED if basis.stamping is Stamping.STAMPED else _UNSTAMPED
    said = f"{TIME_STAMPS[basis.stamping].partition(';')[0]}."
    return _README.format(
        provider=basis.provider, tool=basis.tool, stamp=stamp.format(said=said)
    ).encode()


_README: Final = """Conformance bundle of {provider}

Aligned with ISO/TS 12812-2:2017; the rows are reconstructed in own words, and nothing here claims
conformity with the text.

Compare signer.pem with the officer's key that the provider published elsewhere. It proves nothing
by standing here.

With {tool}:

  tallystick bundle verify . --settings published/provider.json

Without it, with OpenSSL and jq: what was signed, the signature, the digest of every file. An
Ed25519 key takes openssl pkeyutl -verify -pubin -inkey signer.pem -rawin -in ../signed
-sigfile ../signature in place of dgst.

  jq -j .payload manifest.dsse.json | openssl base64 -d -A > ../payload
  printf 'DSSEv1 28 application/vnd.in-toto+json %s ' $(wc -c < ../payload) > ../signed
  cat ../payload >> ../signed
  jq -j '.signatures[0].sig' manifest.dsse.json | openssl base64 -d -A > ../signature
  openssl dgst -sha256 -verify signer.pem -signature ../signature ../signed
  jq -r '.subject[] | "\\(.digest.sha256)  \\(.name)"' ../payload | sha256sum -c
  jq -r '.files | to_entries[] | "\\(.value)  \\(.key)"' mfs-lock.json | sha256sum -c

The documents by themselves, with compliance-trestle 5.2.0:

  trestle verify-manifest --beta --manifest manifest.json --signature manifest.dsse.json \\
      --public-key signer.pem
  mkdir ../workspace && cp *.json ../workspace && cd ../workspace && trestle init --local
  trestle import -f ../BUNDLE/catalog.json -o mfs        (and so for the other seven)
  trestle validate -a
  trestle author profile-resolve -n mfs -o resolved

attestations.cdx.json is valid by the schema of CycloneDX 1.6. The documents that people attest with
are not in the bundle; their digests are in assessment-results.json and evidence.json.

{stamp}"""

_STAMPED: Final = """Time stamp: {said}
With the certificate of the authority's root, which you have from elsewhere:

  openssl ts -verify -data manifest.dsse.json -in manifest.tsr -CAfile authority.pem
  openssl ts -reply -in manifest.tsr -text
"""

_UNSTAMPED: Final = """Time stamp: {said}
To get one of your own:

  openssl ts -query -data manifest.dsse.json -sha256 -cert -out request.tsq
  (send request.tsq to your authority, keep its answer as answer.tsr beside this folder)
  openssl ts -verify -data manifest.dsse.json -in answer.tsr -CAfile authority.pem
"""
