"""Attestations for tests: published ones where they are, and simulated ones to make wrong."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from simulators.keymint import Phone, SimulatedFactory

from tallystick.infrastructure.attestation.android.chain import verify_chain
from tallystick.infrastructure.attestation.evidence import Evidence
from tallystick.infrastructure.crypto.credential import credential_of_point
from tallystick.infrastructure.crypto.ecdsa import Es256SigningKey
from tallystick.infrastructure.crypto.x509 import certificates_in
from tallystick.kernel.codec import b64url
from tallystick.process.attestation.appraisal import NOTHING_KNOWN, appraise
from tallystick.process.attestation.model import AppraisalPolicy, Known, Subject, Verdict
from tallystick.process.attestation.reading import read_policy, root_links

ROOT = Path(__file__).resolve().parents[2]
COPIES = ROOT / "tests" / "vectors" / "data" / "attestation"
AT = 1_767_225_600_000
CHALLENGE = b"c" * 32


def published(name: str, copies: str) -> Path:
    """The whole public set `name` where it is at hand, else the copies kept with the tests."""
    shared = Path(os.environ.get("TALLYSTICK_TEST_DATA", ROOT.parent / "shared" / "data"))
    whole = shared / name
    return whole if whole.exists() else COPIES / copies


def spki_of(signer: Es256SigningKey) -> bytes:
    point = signer.public().octets()
    return credential_of_point(1, point[1:33], point[33:]).spki


@dataclass
class Bench:
    """A factory, a key, the policy that believes the factory."""

    factory: SimulatedFactory = field(default_factory=lambda: SimulatedFactory(AT))
    signer: Es256SigningKey = field(default_factory=Es256SigningKey.generate)

    def __post_init__(self) -> None:
        self.policy: AppraisalPolicy = read_policy(self.factory.policy_text())

    @property
    def spki(self) -> bytes:
        return spki_of(self.signer)

    def chain(self, phone: Phone, challenge: bytes = CHALLENGE) -> list[bytes]:
        return self.factory.attest(self.spki, challenge, phone)

    def evidence(self, chain: list[bytes]) -> Evidence:
        return verify_chain(chain, root_links(self.policy, "android-key"))

    def subject(self, *, consent: bool = False, at: int = AT) -> Subject:
        return Subject(
            challenge=b64url(CHALLENGE),
            attested=b64url(self.spki),
            presented_at=at,
            consent=consent,
        )

    def verdict(
        self,
        phone: Phone,
        *,
        known: Known = NOTHING_KNOWN,
        policy: AppraisalPolicy | None = None,
        consent: bool = False,
        at: int = AT,
    ) -> Verdict:
        evidence = self.evidence(self.chain(phone))
        return appraise(
            evidence, self.subject(consent=consent, at=at), policy or self.policy, known
        )


def chain_in(file: Path) -> list[bytes]:
    return [one.octets for one in certificates_in(file.read_bytes())]


def rules_of(verdict: Verdict) -> set[str]:
    return {one.rule for one in verdict.reasons}
