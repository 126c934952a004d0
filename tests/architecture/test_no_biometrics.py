"""No server templates: nothing that leaves a process or is stored could hold a biometric."""

import re
from collections.abc import Iterable, Iterator

import pytest
from tests.architecture.test_classification import Struct, hints, structs

from tallystick.kernel.codec import from_plain
from tallystick.kernel.model import Record, Wire
from tallystick.protocol.authentication import ReportKey

BIOMETRIC = re.compile(
    r"(?:^|_)(?:biometr\w*|face|facial|finger\w*|iris|voice\w*|palm|vein|gait|minutia\w*|"
    r"enrolment_sample|liveness)(?:_|$)"
)
FINGERPRINT_OF_A_KEY = {"fingerprint"}


def biometric_fields(found: Iterable[Struct]) -> Iterator[str]:
    """Fields, or structs, that are named after what a body gives."""
    for struct in found:
        spelled = re.sub(r"(?<!^)(?=[A-Z])", "_", struct.__name__).lower()
        names = [*hints(struct), spelled]
        for name in names:
            if BIOMETRIC.search(name.lower()) and name not in FINGERPRINT_OF_A_KEY:
                yield f"{struct.__module__}.{struct.__name__}.{name}"


@pytest.mark.requirement("MFS-7.3.2-11")
def test_no_message_and_no_row_has_a_place_for_a_biometric() -> None:
    found = sorted(biometric_fields([*structs(Wire, "tallystick"), *structs(Record, "tallystick")]))
    assert not found, "\n".join(found)


@pytest.mark.requirement("MFS-7.3.2-11")
def test_a_phone_says_only_that_its_key_is_void() -> None:
    assert set(hints(ReportKey)) == {"because"}
    for text in ("biometrics-changed:AAAA", "template", ""):
        with pytest.raises(Exception, match="because"):
            from_text(text)


def from_text(text: str) -> ReportKey:

    return from_plain({"because": text}, ReportKey)


class FaceTemplate(Record, frozen=True, kw_only=True):
    octets: bytes


class Enrolled(Wire, frozen=True, kw_only=True):
    left_iris: bytes
    interface: str


def test_a_place_for_one_is_found() -> None:
    assert len(list(biometric_fields([FaceTemplate, Enrolled]))) == 2
