"""The register: certificates, revocations and lists as lines of a file that only grows.

Each line is one act, in canonical JSON, written durably before the act counts. Who reads the file
while it grows sees whole lines only.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280, 5; ISO 21188
"""

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from tallystick.infrastructure.crypto.certify import names_of
from tallystick.infrastructure.crypto.crl import Revoked
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant


class Act(Record, frozen=True, kw_only=True):
    """One act of `authority`, at `at` (ms): a certificate issued, one revoked, a list signed.

    `certificate` is its DER (base64url); `number` is that of the certificate in hex, or of a list.
    `base` is the whole list that a delta goes by, empty for a whole one, and `acts` says how many
    acts a list knew of.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    v: int
    act: Literal["issued", "revoked", "listed"]
    authority: str
    number: str
    at: int
    profile: str = ""
    certificate: str = ""
    reason: str = ""
    base: str = ""
    acts: int = 0


class Issued(Record, frozen=True, kw_only=True):
    """A certificate in the register: who issued it, under which profile, whether it was revoked.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    authority: str
    profile: str
    serial: int
    at: int
    octets: bytes
    revoked_at: int = 0
    reason: str = ""


_ACTS: Decoder[Act] = Decoder(Act)


class Register:
    """What `file` says, brought up to date whenever the file has grown.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(self, file: Path) -> None:
        """Read `file`, which need not exist yet; raises Malformed for one that is damaged.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._file = file
        self._read = 0
        self.acts = 0
        self._changed: list[tuple[int, Act]] = []
        self._issued: dict[tuple[str, int], Act] = {}
        self._revoked: dict[str, dict[int, Revoked]] = {}
        self._listed: dict[str, list[Act]] = {}
        self._kept: dict[str, Certificate] = {}
        self.refresh()

    def refresh(self) -> bool:
        """Read what was added; gives whether anything was.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        try:
            size = self._file.stat().st_size
        except FileNotFoundError:
            return False
        if size <= self._read:
            return False
        with self._file.open("rb") as stream:
            stream.seek(self._read)
            octets = stream.read()
        whole = octets[: octets.rfind(b"\n") + 1]
        for line in whole.splitlines():
            self._take(_ACTS.decode_canonical(line))
        self._read += len(whole)
        return bool(whole)

    def append(self, act: Act) -> None:
        """Write `act` durably; raises Conflict for a number that is taken, or revoked already.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        with self._alone() as stream:
            self.refresh()
            self._check(act)
            stream.seek(self._read)
            stream.truncate()
            stream.write(encode_canonical(act) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        self.refresh()

    @contextmanager
    def _alone(self) -> Generator[BinaryIO]:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream

    def _check(self, act: Act) -> None:
        if act.act == "issued" and (act.authority, int(act.number, 16)) in self._issued:
            raise Conflict("the authority has a certificate with this number")
        if act.act == "revoked":
            known = self._revoked.get(act.authority, {}).get(int(act.number, 16))
            if (known is None) == (act.reason == "released"):
                raise Conflict("the certificate is revoked already, or is not on hold")
            if known is not None and known.reason != "on-hold":
                raise Conflict("only what is on hold can be released")
        if act.act == "listed" and int(act.number) <= self.list_number(act.authority):
            raise Conflict("a list with this number, or a higher one, was signed")

    def _take(self, act: Act) -> None:
        self.acts += 1
        if act.act == "issued":
            self._issued[act.authority, int(act.number, 16)] = act
            if act.profile in {"root", "authority"}:
                found = read_certificate(b64url_decode(act.certificate))
                self._kept[_own_name(found)] = found
        elif act.act == "listed":
            self._listed.setdefault(act.authority, []).append(act)
        else:
            serial = int(act.number, 16)
            self._changed.append((self.acts, act))
            revoked = self._revoked.setdefault(act.authority, {})
            if act.reason == "released":
                revoked.pop(serial, None)
            else:
                revoked[serial] = Revoked(serial, Instant(act.at), act.reason)

    def authority(self, name: str) -> Certificate:
        """The certificate of the authority `name`, `root` among them; raises NotFound.

        Source: RFC 5280, 3.2
        """
        found = self._kept.get(name)
        if found is None:
            raise NotFound(
                f"there is no authority {name[:40]!r}", remedy="make them: tallystick pki root new"
            )
        return found

    def authorities(self) -> tuple[str, ...]:
        """The names of all authorities, the root first.

        Source: RFC 5280, 3.2
        """
        return tuple(self._kept)

    def knows(self, authority: str, serial: int) -> bool:
        """Whether `authority` issued a certificate with the number `serial`.

        Source: RFC 6960, 2.2
        """
        return (authority, serial) in self._issued

    def revoked(self, authority: str) -> dict[int, Revoked]:
        """What `authority` revoked, by number.

        Source: RFC 5280, 5.1
        """
        return self._revoked.get(authority, {})

    def list_number(self, authority: str) -> int:
        """The number of the newest list of `authority`, 0 if there is none.

        Source: RFC 5280, 5.2.3
        """
        listed = self._listed.get(authority)
        return int(listed[-1].number) if listed else 0

    def since(self, authority: str, base: Act) -> list[Revoked]:
        """What `authority` revoked or released since it signed the list `base`.

        Source: RFC 5280, 5.2.4
        """
        found: dict[int, Revoked] = {}
        for place, act in self._changed:
            if place > base.acts and act.authority == authority:
                serial = int(act.number, 16)
                found[serial] = Revoked(serial, Instant(act.at), act.reason)
        return list(found.values())

    def last_whole(self, authority: str) -> Act | None:
        """The newest whole list of `authority`, or None.

        Source: RFC 5280, 5.2.4
        """
        listed = self._listed.get(authority, ())
        return next((one for one in reversed(listed) if not one.base), None)

    def certificates(self) -> Iterator[Issued]:
        """Every certificate, in the order of issue.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        for (authority, serial), act in self._issued.items():
            revoked = self._revoked.get(authority, {}).get(serial)
            yield Issued(
                authority=authority,
                profile=act.profile,
                serial=serial,
                at=act.at,
                octets=b64url_decode(act.certificate),
                revoked_at=0 if revoked is None else revoked.at,
                reason="" if revoked is None else revoked.reason,
            )


def issued(authority: str, profile: str, certificate: Certificate, at: Instant) -> Act:
    """The act of issuing `certificate`.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return Act(
        v=1,
        act="issued",
        authority=authority,
        number=f"{certificate.serial:x}",
        at=at,
        profile=profile,
        certificate=b64url(certificate.octets),
    )


def _own_name(certificate: Certificate) -> str:
    """The name of an authority: the last word of its common name."""
    return names_of(certificate)[1].rpartition(" ")[2]
