"""A certificate that the terminator names has to hold by itself, whether or not lists are asked."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.paths import AT, ROOT, SIGNS, UNKNOWN, Drawn, signed

from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.pki.partnerlists import ListFiles
from tallystick.entry.terminated import TerminatedCertificates
from tallystick.infrastructure.crypto.x509 import read_certificate
from tallystick.kernel.errors import NotAuthentic

LEAF = Drawn("East", usages=SIGNS)
LINK = PartnerLink(name="east", proof="certificate", unlisted=True)


def said(one: Drawn) -> str:
    return f":{base64.b64encode(read_certificate(signed(one, ROOT)).octets).decode()}:"


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
