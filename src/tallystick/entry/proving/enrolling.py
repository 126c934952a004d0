"""Probes of enrolment, by a second phone that is enrolled for this and is lost at the end.

Its customer is the provider's own and has no money. A copy of its storage is used, as a thief
would; so the phone is suspended when the probes are done, and its keys are deleted.

Source: ISO/TS 12812-2:2017, 7.4.1; 7.3.5; 7.4.5
"""

import re
import shutil
from functools import partial
from pathlib import Path
from typing import Final

from tallystick.application.devices.model import Device
from tallystick.application.devices.store import DEVICE
from tallystick.application.proving import Equipped
from tallystick.client.enrolling import enrol
from tallystick.client.keystore import DeviceKeystore, SoftwareKeystore
from tallystick.client.session import JSON_MEDIA_TYPE, Peer, refusal
from tallystick.entry.proving.looking import (
    Declared,
    Seen,
    all_attempted,
    attempted,
    declare,
    failed,
    judged,
    part,
    unknown,
)
from tallystick.entry.proving.phone import Line, ProbePhone, confirm, phone_of, probes_folder
from tallystick.entry.proving.site import Site
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.envelope.handshake_client import AuthenticatedProvider
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import (
    Conflict,
    Malformed,
    NotAuthentic,
    NotFound,
    NotPermitted,
    Unauthenticated,
    Unavailable,
)
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.protocol.enrolment import ENROLMENTS_PATH, Attestation, DeviceDescription
from tallystick.protocol.session import Purpose, SessionProof

CLAIMING: Final = DeviceDescription(
    platform="probe", model="second probe phone", app_version="1", protection="secure-element"
)
"""Says that its keys are in hardware, and shows no evidence of it."""

WINDOW: Final = 12
"""So many octets in a row are no coincidence."""

_SOFTWARE: Final = "software"
_WORD: Final = re.compile(rb"[A-Za-z0-9_-]{12,}")
_REFUSALS: Final = (NotAuthentic, Malformed, Unauthenticated, NotFound)
_proofs: Final = Decoder(SessionProof)

_DECLARED: Final[tuple[Declared, ...]] = (
    ("enrol.wrong-code", CheckKind.NEGATIVE, ("MFS-7.4.1-03",),
     "a wrong activation code enrols nobody"),
    ("enrol.bound", CheckKind.POSITIVE, (part("MFS-7.4.1-02"), part("MFS-7.4.1-04")),
     "the right code binds customer, device and both keys"),
    ("enrol.code-again", CheckKind.NEGATIVE, ("MFS-7.4.1-03", "MFS-7.3.2-07"),
     "an activation code that was used enrols no second phone"),
    ("enrol.mixed", CheckKind.NEGATIVE, ("MFS-7.4.1-02",),
     "proofs of one enrolment do not serve another"),
    ("enrol.strange-key", CheckKind.NEGATIVE, ("MFS-7.4.1-04",),
     "a key that does not prove itself is not enrolled"),
    ("enrol.same-keys", CheckKind.NEGATIVE, ("MFS-7.4.1-04", part("MFS-7.4.2-06")),
     "a key that a device has is not enrolled for a second one"),
    ("enrol.claimed-hardware", CheckKind.NEGATIVE, ("MFS-8.1.1-01",),
     "who claims hardware without evidence counts as software"),
    ("phone.unlinkable", CheckKind.NEGATIVE, (part("MFS-13.2-02"),),
     "two logins of one phone have nothing in common that another phone's has not"),
    ("phone.copied", CheckKind.NEGATIVE, ("MFS-7.3.5-05", part("MFS-8.1.2-01")),
     "a copy of a phone's storage is refused, and the phone is suspended"),
    ("phone.suspended", CheckKind.NEGATIVE,
     ("MFS-7.4.5-01", part("MFS-7.2.8-03"), part("MFS-7.3.5-04"), part("MFS-7.4.5-04")),
     "a suspended phone is refused at once, in its open session too"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class EnrolmentProbes:
    """Enrols a second phone, and tries what a thief of codes, keys or storage would.

    Source: ISO/TS 12812-2:2017, 7.4.1; 7.3.5
    """

    def __init__(self, site: Site, line: Line) -> None:
        self._site = site
        self._line = line
        self._used: Equipped | None = None
        self._unused: Equipped | None = None
        self._phone: ProbePhone | None = None
        self._lost_at = 0

    def register(self, registry: Registry) -> None:
        """Add every probe; there are codes only where the provider was opened.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        if not (self._site.everything or self._site.platform is not None):
            return
        looks = {
            "enrol.wrong-code": self.wrong_code,
            "enrol.bound": self.bound,
            "enrol.code-again": self.code_again,
            "enrol.mixed": self.mixed,
            "enrol.strange-key": self.strange_key,
            "enrol.same-keys": self.same_keys,
            "enrol.claimed-hardware": self.claimed,
            "phone.unlinkable": self.unlinkable,
            "phone.copied": self.copied,
            "phone.suspended": self.suspended,
        }
        declare(registry, _DECLARED, looks)

    # --- the phone ----------------------------------------------------------------------------

    def _file(self, name: str) -> Path:
        return probes_folder(self._site.folder) / name

    def _code(self) -> Equipped:
        if not self._site.spare:
            raise Unavailable("there is no code for a second probe phone")
        return self._site.spare.pop()

    def _free(self) -> Equipped:
        """A code that nobody used yet."""
        if self._unused is None:
            self._unused = self._code()
        return self._unused

    def _enrolled(self) -> ProbePhone:
        if self._phone is None:
            self._file("second.key").unlink(missing_ok=True)
            self._file("second.key").parent.mkdir(mode=0o700, exist_ok=True)
            keystore = SoftwareKeystore.create_file(
                self._file("second.key"), _ONCE, entropy=operating_system, verify_user=confirm
            )
            phone = self._line.keep(phone_of(self._site, keystore))
            self._used = code = self._code()
            _enrol(phone.peer(), keystore, code, code.code)
            self._phone = phone
            self._line.at_the_end(self._lose)
        return self._phone

    def _row(self, phone: ProbePhone) -> Device:
        device = phone.keystore.identity().device
        with self._site.reading() as reader:
            row = RowCache(DEVICE, Device, reader, capacity=1).get(device)
        if row is None:
            raise NotFound("the device that was just enrolled is not in the record")
        return row

    # --- codes and keys -----------------------------------------------------------------------

    def wrong_code(self, now: Instant) -> Seen:
        """Tries an activation with another code.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        free, phone = self._free(), self._line.phone()
        digits = free.code.reveal()
        wrong = Secret(digits[:-1] + str((int(digits[-1]) + 1) % 10))
        keys = SoftwareKeystore(confirm)
        return attempted(partial(_enrol, phone.peer(), keys, free, wrong), NotAuthentic)

    def bound(self, now: Instant) -> Seen:
        """Enrols with the right code, and looks at what the record binds together.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        phone = self._enrolled()
        keys, row = phone.keystore, self._row(phone)
        identity, used = keys.identity(), self._used
        return judged(
            (row.possession, row.consent) == (keys.possession_public(), keys.consent_public())
            and used is not None
            and row.customer == identity.customer == used.customer
            and row.certificate_id == identity.certificate_id,
            "the record has this customer, both keys and the certificate",
            "the record binds something else than what was enrolled",
        )

    def code_again(self, now: Instant) -> Seen:
        """Uses a code a second time, with new keys.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        phone, used = self._enrolled(), self._used
        if used is None:
            return unknown("no code was used in this run")
        keys = SoftwareKeystore(confirm)
        return attempted(partial(_enrol, phone.peer(), keys, used, used.code), NotAuthentic)

    def mixed(self, now: Instant) -> Seen:
        """Sends the proofs of one enrolment in another one, whole and with its cookie.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        free, peer = self._free(), self._line.phone().peer()
        one, two = (peer.authenticated(Purpose.ENROLMENT) for _ in range(2))
        proofs = self._proofs_for(one, free, Es256SigningKey.generate())
        own = _proofs.decode(self._proofs_for(two, free, Es256SigningKey.generate()))
        joined = SessionProof(cookie=own.cookie, sealed=_proofs.decode(proofs).sealed)
        return all_attempted(
            {
                "in another handshake": attempted(
                    partial(_send, peer, two.session, proofs), *_REFUSALS
                ),
                "with another cookie": attempted(
                    partial(_send, peer, two.session, encode_canonical(joined)), *_REFUSALS
                ),
            }
        )

    def strange_key(self, now: Instant) -> Seen:
        """Offers a public key, and signs with another.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        free, peer = self._free(), self._line.phone().peer()
        provider = peer.authenticated(Purpose.ENROLMENT)
        offered = Es256SigningKey.generate()
        proofs = self._proofs_for(provider, free, Es256SigningKey.generate(), offered)
        return attempted(partial(_send, peer, provider.session, proofs), *_REFUSALS)

    def _proofs_for(
        self,
        provider: AuthenticatedProvider,
        code: Equipped,
        signer: Es256SigningKey,
        offered: Es256SigningKey | None = None,
    ) -> bytes:
        """m3 of an enrolment; `offered` is the key that is claimed, where it is not the signer."""
        public = (offered or signer).public().octets()
        consent = Es256SigningKey.generate()
        return provider.prove_enrolment(
            activation=code.activation,
            code=code.code,
            possession=(public, signer.sign),
            consent=(consent.public().octets(), consent.sign),
            attestation=Attestation(format="none", statement=""),
            description=CLAIMING,
            share=Secret(operating_system(32)),
        ).body

    def same_keys(self, now: Instant) -> Seen:
        """Enrols the keys of an enrolled phone once more, with a code that is right.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        phone, free = self._enrolled(), self._free()
        again = partial(_enrol, phone.peer(), phone.keystore, free, free.code)
        return attempted(again, Conflict)

    def claimed(self, now: Instant) -> Seen:
        """Looks at how far a phone is trusted that says it has a secure element.

        Source: ISO/TS 12812-2:2017, 8.1.1
        """
        trust = self._row(self._enrolled()).trust
        return judged(
            trust == _SOFTWARE, "it counts as software", f"it counts as {trust}", trust=trust
        )

    # --- copies -------------------------------------------------------------------------------

    def unlinkable(self, now: Instant) -> Seen:
        """Compares two logins of one phone with a login of another.

        Source: ISO/TS 12812-2:2017, 13.2
        """
        second, first = self._enrolled(), self._line.phone()
        one, two, other = _login(first), _login(first), _login(second)
        shared = (_windows(one) & _windows(two)) - _windows(other)
        return judged(
            not shared,
            f"nothing of {WINDOW} octets recurs in {len(one) + len(two)} octets of two logins",
            f"{len(shared)} pieces of {WINDOW} octets recur in two logins of one phone",
            octets=len(one) + len(two),
            recurring=len(shared),
        )

    def copied(self, now: Instant) -> Seen:
        """Copies the phone's storage, uses the phone, and then the copy.

        Source: ISO/TS 12812-2:2017, 7.3.5; 8.1.2
        """
        phone, copy = self._enrolled(), self._file("copy.key")
        copy.unlink(missing_ok=True)
        try:
            shutil.copyfile(self._file("second.key"), copy)
            thief = SoftwareKeystore.open_file(
                copy, _ONCE, entropy=operating_system, verify_user=confirm
            )
            other = self._line.keep(phone_of(self._site, thief))
            phone.session.establish()
            seen = attempted(other.session.establish, NotPermitted)
        finally:
            copy.unlink(missing_ok=True)
            self._file("second.key").unlink(missing_ok=True)
        if seen.verdict is not Verdict.PASS:
            return seen
        self._lost_at = self._site.clock.now()
        status = self._row(phone).status.value
        if status != "suspended":
            return failed(f"the copy was refused, but the device is {status}")
        return seen

    def _lose(self) -> None:
        """Leave no active phone behind, whichever probes were run."""
        if not self._lost_at and self._file("second.key").exists():
            self.copied(self._site.clock.now())

    def suspended(self, now: Instant) -> Seen:
        """Uses the phone whose copy was found: its open session, and a new one.

        Source: ISO/TS 12812-2:2017, 7.4.5; 7.2.8
        """
        if not self._lost_at:
            return unknown("no phone was suspended in this run")
        session = self._enrolled().session
        ask = partial(session.exchange, "account.read", "/v1/account", b"{}", resend=False)
        seen = all_attempted(
            {
                "in its open session": attempted(ask, Unauthenticated, NotPermitted),
                "in a new one": attempted(session.establish, NotPermitted),
            }
        )
        seen.measured["within_ms"] = max(0, self._site.clock.now() - self._lost_at)
        return seen


_ONCE: Final = Secret("the storage of a phone that is lost within seconds")


def _enrol(peer: Peer, keys: DeviceKeystore, code: Equipped, said: Secret[str]) -> object:
    return enrol(
        peer,
        keys,
        activation=code.activation,
        code=said,
        description=CLAIMING,
        shown="enrol the second probe phone",
    )


def _send(peer: Peer, session: str, body: bytes) -> bytes:
    """The reply if the enrolment was carried out; raises the refusal otherwise."""
    reply = peer.transport.post(f"{ENROLMENTS_PATH}/{session}", body, JSON_MEDIA_TYPE)
    if reply.status >= 300:
        raise refusal(reply)
    return reply.body


def _login(phone: ProbePhone) -> bytes:
    phone.tape.cut()
    phone.session.establish()
    return phone.tape.cut()


def _windows(octets: bytes) -> set[bytes]:
    """Every piece of the ids, keys and ciphertexts in `octets`, not of the words around them."""
    return {
        word[at : at + WINDOW]
        for word in _WORD.findall(octets)
        for at in range(len(word) - WINDOW + 1)
    }
