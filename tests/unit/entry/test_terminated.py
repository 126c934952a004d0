"""A certificate that the terminator names has to hold by itself, whether or not lists are asked."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.support.authorities import OpensslAuthority
from tests.support.openssl import openssl
from tests.support.paths import AT, ROOT, SIGNS, UNKNOWN, Drawn, signed

from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.partners import Headers
from tallystick.entry.pki.partnerlists import FOLDER, ListFiles
from tallystick.entry.terminated import TerminatedCertificates, authorities_in, keep_authorities
from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.kernel.errors import NotAuthentic, TooLarge

LEAF = Drawn("East", usages=SIGNS)
LINK = PartnerLink(name="east", proof="certificate", unlisted=True)


def octets_as(*certificates: Certificate) -> str:
    return ", ".join(f":{base64.b64encode(one.octets).decode()}:" for one in certificates)


def said(one: Drawn) -> Headers:
    return Headers("", octets_as(read_certificate(signed(one, ROOT))), "")


@pytest.mark.parametrize(
    "broken",
    [
        {"days": (-20, -1)},
        {"days": (1, 20)},
        {"sort": "rsa1024"},
        {"sort": "p224"},
        {"more": ((UNKNOWN, True),)},
    ],
)
def test_without_lists_a_certificate_still_has_its_days_its_key_and_no_unknown_demand(
    tmp_path: Path, broken: dict[str, object]
) -> None:
    looked = TerminatedCertificates(tmp_path, ListFiles(tmp_path))
    looked.check(LINK, said(LEAF), AT)
    with pytest.raises(NotAuthentic):
        looked.check(LINK, said(replace(LEAF, **broken)), AT)


KNOWN = PartnerLink(name="east", proof="certificate")


@dataclass
class Below:
    """A partner's certificate below an authority that a root certified; OpenSSL runs both."""

    place: Path
    folder: Path

    def __post_init__(self) -> None:
        self.root = OpensslAuthority(self.folder / "root", "Root of the partner")
        self.middle = OpensslAuthority(self.folder / "middle", "Below the root", above=self.root)
        self.leaf = self.middle.issue("east")
        self.files = ListFiles(self.place)
        self.looked = TerminatedCertificates(self.place, self.files)

    def publish(self, *of: OpensslAuthority) -> None:
        place = self.place / FOLDER
        place.mkdir(exist_ok=True)
        (self.folder / "all.crl").write_text("")
        for one in (self.root, self.middle):
            file = place / f"{one.folder.name}.crl"
            if one not in of:
                file.unlink(missing_ok=True)
                continue
            file.write_bytes(one.publish())
            with (self.folder / "all.crl").open("ab") as both:
                both.write(file.read_bytes())
        self.files.look()

    def register(self, *authorities: OpensslAuthority) -> None:
        keep_authorities(self.place, "east", b"".join(pem(one) for one in authorities))

    def is_let_in(self, *seen: OpensslAuthority) -> bool:
        chain = octets_as(*(one.certificate for one in seen))
        headers = Headers("", octets_as(self.leaf), "", chain=chain)
        try:
            self.looked.check(KNOWN, headers, self.root.now())
        except NotAuthentic:
            return False
        return True

    def openssl_lets_in(self) -> bool:
        lists = self.folder / "all.crl"
        checks = [
            "verify", "-crl_check_all", *(("-CRLfile", lists) if lists.read_bytes() else ()),
            "-CAfile", self.root.folder / "root.pem", "-untrusted", self.middle.folder / "root.pem",
            self.middle.folder / "east.pem",
        ]  # fmt: skip
        try:
            openssl(*checks)
        except AssertionError:
            return False
        return True


def pem(authority: OpensslAuthority) -> bytes:
    return pem_of(authority.certificate.octets).encode()


@pytest.fixture(params=["registered", "seen by the terminator"])
def below(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Below, Callable[[], bool]]:
    (tmp_path / "p").mkdir()
    made = Below(tmp_path / "p", tmp_path)
    if request.param == "registered":
        made.register(made.middle, made.root)
        return made, made.is_let_in
    made.register(made.root)
    assert not made.is_let_in(), "the path to the root came from nowhere"
    return made, lambda: made.is_let_in(made.middle)


@pytest.mark.requirement("MFS-7.4.2-11")
def test_the_whole_path_is_held_against_lists_as_openssl_holds_it(
    below: tuple[Below, Callable[[], bool]],
) -> None:
    made, is_let_in = below
    root, middle = made.root, made.middle
    for lists, expected in (((), False), ((middle,), False), ((root,), False),
                            ((root, middle), True)):  # fmt: skip
        made.publish(*lists)
        assert (is_let_in(), made.openssl_lets_in()) == (expected, expected), lists
    root.revoke(middle.certificate, "CACompromise")
    made.publish(root, middle)
    assert (is_let_in(), made.openssl_lets_in()) == (False, False), "the authority was revoked"


def test_a_partner_whom_the_authority_below_the_root_revoked_is_refused(
    below: tuple[Below, Callable[[], bool]],
) -> None:
    made, is_let_in = below
    made.publish(made.root, made.middle)
    assert is_let_in()
    made.middle.revoke(made.leaf, "keyCompromise")
    made.publish(made.root, made.middle)
    assert (is_let_in(), made.openssl_lets_in()) == (False, False)


def test_authorities_are_given_up_to_the_root_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    made = Below(tmp_path / "p", tmp_path)
    root, middle = pem(made.root), pem(made.middle)
    assert len(authorities_in(middle + root)) == 2
    for wrong in (middle, root + middle, middle + middle + root, pem_of(made.leaf.octets).encode()):
        with pytest.raises(NotAuthentic):
            authorities_in(wrong)
    with pytest.raises(TooLarge):
        authorities_in(middle + root * 3)


@pytest.mark.parametrize("chain", ["x", '"text"', ":AAAA:", ", ".join([":AAAA:"] * 5), "(:AAAA:)"])
def test_a_chain_of_another_form_lets_nobody_in(tmp_path: Path, chain: str) -> None:
    (tmp_path / "p").mkdir()
    made = Below(tmp_path / "p", tmp_path)
    made.register(made.middle, made.root)
    made.publish(made.root, made.middle)
    assert made.is_let_in()
    headers = Headers("", octets_as(made.leaf), "", chain=chain)
    with pytest.raises(NotAuthentic):
        made.looked.check(KNOWN, headers, made.root.now())
