"""An authority: it issues under profiles, renews, revokes, and signs lists of what it revoked.

Its key stays in a module. A number has 127 random bits of the module, so that nobody can foretell
what is signed. What is issued stands in the register before it is given to anybody.

Source: ISO/TS 12812-2:2017, 3.5; 7.4.2; RFC 5280; ISO 21188
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tallystick.infrastructure.crypto.certify import (
    Asked,
    Draft,
    instant,
    names_of,
    public_of,
    public_of_signer,
    read_request,
    sign_certificate,
)
from tallystick.infrastructure.crypto.crl import REASONS, Revoked, sign_list
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.infrastructure.pki.profiles import (
    AUTHORITIES,
    AUTHORITY_LIFE_MS,
    ISSUES,
    ROOT,
    ROOT_LIFE_MS,
    Profile,
    profile,
    subject_of,
)
from tallystick.infrastructure.pki.register import Act, Register, issued
from tallystick.kernel.errors import Conflict, Expired, Malformed, NotFound, NotPermitted
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS, Instant

Draw = Callable[[int], bytes]
"""So many random octets, of a module."""

LIST_LIFE_MS = DAY_MS
DELTA_LIFE_MS = HOUR_MS
_BACK_MS = MINUTE_MS
"""Certificates hold from a minute ago on: clocks of others are not quite right."""
_SERIAL = 16


@dataclass(frozen=True, slots=True)
class Places:
    """Where lists and answers of an authority are found; empty where they are not published.

    Source: RFC 5280, 4.2.1.13; 4.2.2.1
    """

    url: str = ""

    def list_of(self, authority: str) -> str:
        """The address of the whole list of `authority`.

        Source: RFC 5280, 4.2.1.13
        """
        return f"{self.url}/pki/crl/{authority}.crl" if self.url else ""

    def responder(self) -> str:
        """The address of the responder.

        Source: RFC 6960, A.1
        """
        return f"{self.url}/pki/ocsp" if self.url else ""


def serial_number(draw: Draw) -> int:
    """A number above zero of at most 127 bits, all of them random.

    Source: RFC 5280, 4.1.2.2
    """
    return int.from_bytes(draw(_SERIAL), "big") >> 1 or 1


def found_root(
    register: Register, organisation: str, signer: SigningKey, draw: Draw, now: Instant
) -> Certificate:
    """The certificate of a new root, which certifies itself.

    Raises Conflict where the register has a root.
    Source: RFC 5280, 3.2
    """
    if ROOT in register.authorities():
        raise Conflict("there is a root already", remedy="use another folder for another root")
    root = sign_certificate(
        Draft(
            organisation=organisation,
            name=f"{organisation} {ROOT}",
            public=public_of_signer(signer),
            serial=serial_number(draw),
            not_before=Instant(now - _BACK_MS),
            not_after=Instant(now + ROOT_LIFE_MS),
            usages=ISSUES,
            authority=True,
            path_length=1,
        ),
        signer,
    )
    register.append(issued(ROOT, ROOT, root, now))
    return root


class Authority:
    """One authority with its key; everything that it does is a line of the register first.

    Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280, 3.2
    """

    def __init__(
        self,
        name: str,
        register: Register,
        signer: SigningKey,
        draw: Draw,
        places: Places | None = None,
    ) -> None:
        """Take up the authority `name`; raises NotFound, NotPermitted if `signer` is not its key.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self.name = name
        self.certificate = register.authority(name)
        if public_of_signer(signer) != public_of(self.certificate):
            raise NotPermitted("the key is not that of the authority")
        self._register = register
        self._signer = signer
        self._draw = draw
        self._places = places or Places()
        self._organisation, _ = names_of(self.certificate)

    def found(
        self, name: str, public: bytes, now: Instant, permitted: Iterable[str] = ()
    ) -> Certificate:
        """The certificate of the authority `name` below this one, which is the root.

        `permitted` limits the DNS names of what it may issue. Raises NotPermitted, Conflict.
        Source: RFC 5280, 4.2.1.9; 4.2.1.10
        """
        if self.name != ROOT or name not in AUTHORITIES:
            raise NotPermitted("the root alone makes authorities, and only those of the plan")
        certificate = self._signed(
            Draft(
                organisation=self._organisation,
                name=f"{self._organisation} {name}",
                public=public,
                serial=serial_number(self._draw),
                not_before=Instant(now - _BACK_MS),
                not_after=self._until(now + AUTHORITY_LIFE_MS),
                usages=ISSUES,
                issuer=self.certificate,
                authority=True,
                path_length=0,
                permitted=tuple(permitted),
                list_url=self._places.list_of(self.name),
                responder_url=self._places.responder(),
            )
        )
        self._register.append(issued(self.name, "authority", certificate, now))
        return certificate

    def issue(
        self,
        under: Profile,
        names: tuple[str, ...],
        request: bytes,
        now: Instant,
        life_ms: int = 0,
    ) -> Certificate:
        """The certificate of the profile `under` for `names`, over the key that `request` proves.

        Names come from whoever may issue, never from the request. Raises NotPermitted for a profile
        of another authority, a sort of key that the profile does not take or too long a life,
        Malformed, NotAuthentic for a request that proves nothing.
        Source: RFC 5280, 4; RFC 2986
        """
        asked = read_request(request)
        return self._issue(under, names, asked, now, life_ms)

    def certify(
        self, under: Profile, names: tuple[str, ...], own: SigningKey, now: Instant
    ) -> Certificate:
        """The certificate for a key of the provider's own module; it is not asked to prove itself.

        Source: RFC 5280, 4
        """
        return self._issue(under, names, Asked(public_of_signer(own), "p256"), now, 0)

    def _issue(
        self, under: Profile, names: tuple[str, ...], asked: Asked, now: Instant, life_ms: int
    ) -> Certificate:
        if under.authority != self.name and not under.any_authority:
            raise NotPermitted(
                f"the authority {self.name} issues no certificate of the profile {under.name}",
                remedy=f"ask the authority {under.authority}",
            )
        if asked.sort not in under.keys:
            raise NotPermitted(
                f"the profile {under.name} takes no key of the sort {asked.sort}",
                remedy=f"one of {', '.join(under.keys)}",
            )
        if not 0 <= life_ms <= under.life_ms:
            raise NotPermitted(
                f"the profile {under.name} ends after {under.life_ms // DAY_MS} days"
            )
        whom = subject_of(under, names)
        certificate = self._signed(
            Draft(
                organisation=self._organisation,
                name=whom.name,
                public=asked.public,
                serial=serial_number(self._draw),
                not_before=Instant(now - _BACK_MS),
                not_after=self._until(now + (life_ms or under.life_ms)),
                usages=under.usages,
                issuer=self.certificate,
                purposes=under.purposes,
                critical=under.critical,
                dns=whom.dns,
                uris=whom.uris,
                list_url="" if under.unchecked else self._places.list_of(self.name),
                responder_url="" if under.unchecked else self._places.responder(),
                unchecked=under.unchecked,
            )
        )
        self._register.append(issued(self.name, under.name, certificate, now))
        return certificate

    def renew(self, serial: int, request: bytes, now: Instant) -> Certificate:
        """The successor of a certificate that is in force, in the last third of its life.

        `request` is signed by the key of that certificate or, for a new key, by the new one: then
        whoever asks has been authenticated by the old one before. Raises NotFound, NotPermitted,
        Conflict for one that is revoked or too young, Expired.
        Source: ISO/TS 12812-2:2017, 7.4.1; RFC 4210, 5.3.5
        """
        found = next(
            (
                one
                for one in self._register.certificates()
                if (one.authority, one.serial) == (self.name, serial)
            ),
            None,
        )
        if found is None:
            raise NotFound("the authority issued no such certificate")
        under = profile(found.profile)
        if not under.renewal:
            raise NotPermitted(f"a certificate of the profile {under.name} is issued anew")
        if found.revoked_at:
            raise Conflict("the certificate was revoked", remedy="enrol again")
        before = read_certificate(found.octets)
        start = instant(before.parsed.not_valid_before_utc)
        end = instant(before.parsed.not_valid_after_utc)
        if now >= end:
            raise Expired("the certificate is past its time", remedy="enrol again")
        if now < end - (end - start) // 3:
            raise Conflict("the certificate is too young to be renewed")
        return self.issue(under, (names_of(before)[1],), request, now)

    def revoke(self, serial: int, reason: str, now: Instant) -> None:
        """Revoke the certificate with the number `serial`, or release one that is `on-hold`.

        Raises NotFound, Malformed for no such reason, Conflict if it is revoked already.
        Source: RFC 5280, 5.3.1
        """
        if not self._register.knows(self.name, serial):
            raise NotFound("the authority issued no such certificate")
        if reason not in REASONS:
            raise Malformed(f"a reason is one of {', '.join(REASONS)}")
        self._register.append(
            Act(
                v=1, act="revoked", authority=self.name, number=f"{serial:x}", at=now, reason=reason
            )
        )

    def list_whole(self, now: Instant, life_ms: int = LIST_LIFE_MS) -> bytes:
        """The list of everything that is revoked, in DER, good for `life_ms`.

        Source: RFC 5280, 5
        """
        acts = self._register.acts
        entries = list(self._register.revoked(self.name).values())
        return self._list(entries, now, life_ms, None, acts)

    def list_delta(self, now: Instant, life_ms: int = DELTA_LIFE_MS) -> bytes:
        """The list of what was revoked or released since the last whole list, in DER.

        Raises NotFound where there is no whole list yet.
        Source: RFC 5280, 5.2.4
        """
        base = self._register.last_whole(self.name)
        if base is None:
            raise NotFound("there is no whole list yet", remedy="sign one first")
        acts = self._register.acts
        return self._list(self._register.since(self.name, base), now, life_ms, base, acts)

    def _list(
        self, entries: list[Revoked], now: Instant, life_ms: int, base: Act | None, acts: int
    ) -> bytes:
        number = self._register.list_number(self.name) + 1
        octets = sign_list(
            self.certificate,
            self._signer,
            entries,
            number=number,
            base=None if base is None else int(base.number),
            this_update=now,
            next_update=Instant(now + life_ms),
        )
        self._register.append(
            Act(
                v=1,
                act="listed",
                authority=self.name,
                number=str(number),
                at=now,
                base="" if base is None else base.number,
                acts=acts,
            )
        )
        return octets

    def _signed(self, draft: Draft) -> Certificate:
        return sign_certificate(draft, self._signer)

    def _until(self, wanted: int) -> Instant:
        """No certificate outlives that of its issuer."""
        return Instant(min(wanted, instant(self.certificate.parsed.not_valid_after_utc)))
