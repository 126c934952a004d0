"""Probes of customers, their telephones and what they are told.

Source: ISO/TS 12812-2:2017, 7.2.8; 7.3.4; 7.4.1; B
"""

from collections import Counter
from functools import partial
from typing import Final

from tallystick.application.customers.store import tiers_of_customers
from tallystick.application.devices.model import DeviceStatus
from tallystick.application.devices.store import DeviceWords, device_words
from tallystick.application.notices import Facts, PaymentReceived, PaymentSent, render
from tallystick.entry.auditing import listed_keys
from tallystick.entry.proving.customers import NAMES
from tallystick.entry.proving.looking import (
    Declared,
    Seen,
    all_attempted,
    attempted,
    declare,
    judged,
    part,
    unknown,
)
from tallystick.entry.proving.site import Site
from tallystick.entry.proving.still import policy_in_force
from tallystick.infrastructure.crypto.key_list import signature_key
from tallystick.infrastructure.envelope.certificate import verify_certificate
from tallystick.infrastructure.pin.wallet import check_new_pin
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import MfsError, NotPermitted
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.process.policy.facts import DeviceTrust
from tallystick.protocol.keylist import ListedPurpose

MOST: Final = 20_000
"""Of so many telephones the newest are looked at one by one."""

_GUESSED_FIRST: Final = ("0000", "1234", "1212", "2580", "1987", "111111", "010190", "987654")
_STATES: Final = frozenset(one.value for one in DeviceStatus)
_TRUSTS: Final = frozenset(one.value for one in DeviceTrust)
_SHOWN_DIGITS: Final = 3

_DECLARED: Final[tuple[Declared, ...]] = (
    ("customers.tiered", CheckKind.STATIC, ("MFS-B-01", part("MFS-7.4.1-01")),
     "each active customer is in a tier that the policy declares"),
    ("devices.states", CheckKind.STATIC, ("MFS-7.2.8-01",),
     "no telephone is in a state that is not declared"),
    ("devices.described", CheckKind.STATIC, ("MFS-8.1.1-01",),
     "of each telephone it is recorded how far its keys are trusted, by which evidence"),
    ("devices.unique-keys", CheckKind.STATIC, (part("MFS-7.4.2-06"),),
     "no two telephones, and no two purposes of one, have the same key"),
    ("devices.certified", CheckKind.STATIC, (part("MFS-7.3.2-08"), part("MFS-7.4.2-11")),
     "each active telephone has a certificate in its time, of a listed authority, for its keys"),
    ("notices.masked", CheckKind.NEGATIVE, (part("MFS-7.3.4-04"), part("MFS-13.2-01")),
     "a notice shows the last three digits of the other side's number and no more"),
    ("pin.weak", CheckKind.NEGATIVE, (part("MFS-7.4.1-05"),),
     "PINs that are guessed first cannot be chosen"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class PeopleProbes:
    """Looks at what is recorded of customers and telephones.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "customers.tiered": self.tiered,
            "devices.states": self.states,
            "devices.described": self.described,
            "devices.unique-keys": self.unique_keys,
            "devices.certified": self.certified,
            "notices.masked": self.masked,
            "pin.weak": self.weak_pin,
        }
        declare(registry, _DECLARED, looks)

    def _devices(self) -> list[DeviceWords]:
        with self._site.reading() as reader:
            return device_words(reader, MOST)

    def tiered(self, now: Instant) -> Seen:
        """Counts active customers by tier.

        Source: ISO/TS 12812-2:2017, B
        """
        with self._site.reading() as reader:
            counted = tiers_of_customers(reader)
        known = policy_in_force(self._site)[0].tiers
        total = sum(counted.values())
        outside = sum(count for tier, count in counted.items() if tier not in known)
        if not total:
            return unknown("there are no customers yet")
        return judged(
            not outside,
            f"{total} of {total} customers are in one of {len(known)} tiers",
            f"{outside} of {total} customers are in no tier of the policy",
            numerator=total - outside,
            denominator=total,
        )

    def states(self, now: Instant) -> Seen:
        """Counts telephones by state.

        Source: ISO/TS 12812-2:2017, 7.2.8
        """
        counted = Counter(one.status for one in self._devices())
        outside = sum(count for word, count in counted.items() if word not in _STATES)
        if not counted:
            return unknown("no telephone is enrolled")
        return judged(
            not outside,
            ", ".join(f"{count} {word}" for word, count in sorted(counted.items())),
            f"{outside} of {counted.total()} are in a state that is not declared",
            telephones=counted.total(),
            outside=outside,
        )

    def described(self, now: Instant) -> Seen:
        """Whether what is recorded of each telephone is known, and what is claimed has evidence.

        Source: ISO/TS 12812-2:2017, 8.1.1
        """
        found = self._devices()
        if not found:
            return unknown("no telephone is enrolled")
        hardware = DeviceTrust.ATTESTED_HARDWARE.value
        bare = [
            one
            for one in found
            if one.trust not in _TRUSTS or (one.trust == hardware and one.attested == "none")
        ]
        return judged(
            not bare,
            f"{len(found)} of {len(found)} telephones are described",
            f"{len(bare)} of {len(found)} are not, or count as hardware without evidence",
            numerator=len(found) - len(bare),
            denominator=len(found),
        )

    def unique_keys(self, now: Instant) -> Seen:
        """Counts keys that stand more than once.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = self._devices()
        keys = Counter(key for one in found for key in (one.possession, one.consent))
        twice = sum(count > 1 for count in keys.values())
        if not found:
            return unknown("no telephone is enrolled")
        return judged(
            not twice,
            f"{len(keys)} keys of {len(found)} telephones, all different",
            f"{twice} of {len(keys)} keys stand more than once",
            keys=len(keys),
            twice=twice,
        )

    def certified(self, now: Instant) -> Seen:
        """Verifies the certificate of each active telephone.

        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.2
        """
        active = [one for one in self._devices() if one.status == DeviceStatus.ACTIVE.value]
        if not active:
            return unknown("no telephone is active")
        authorities = [
            (one.kid, signature_key(one))
            for one in listed_keys(self._site.folder).entries
            if one.purpose == ListedPurpose.DEVICE_CA
        ]
        provider, wrong = self._site.settings.provider, 0
        for one in active:
            good = False
            for kid, public in authorities:
                try:
                    certificate = verify_certificate(
                        one.certificate, kid=kid, device_ca=public, provider=provider, now=now
                    )
                except MfsError:
                    continue
                keys = (b64url(one.possession), b64url(one.consent))
                good = (certificate.possession, certificate.consent) == keys
            wrong += not good
        return judged(
            not wrong,
            f"{len(active)} of {len(active)} certificates are in force",
            f"{wrong} of {len(active)} certificates are not",
            numerator=len(active) - wrong,
            denominator=len(active),
        )

    def masked(self, now: Instant) -> Seen:
        """Writes the notices of a payment, and looks for the number of the other side.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        settings, number = self._site.settings, self._site.number(2)
        minor, currency, code = 100, settings.currency, "0001-000000"
        told: tuple[Facts, ...] = (
            PaymentSent(
                amount_minor=minor, fee_minor=0, currency=currency, payee_name=NAMES[1],
                payee_number=number, receipt_code=code,
            ),
            PaymentReceived(
                amount_minor=minor, currency=currency, payer_name=NAMES[1],
                payer_number=number, receipt_code=code,
            ),
        )  # fmt: skip
        texts = [render(one, settings.provider) for one in told]
        plain = number.lstrip("+")
        shown = [text for text in texts if plain[-_SHOWN_DIGITS - 1 :] in text]
        ends = all(plain[-_SHOWN_DIGITS:] in text for text in texts)
        return judged(
            not shown and ends,
            f"{len(texts)} notices show the last {_SHOWN_DIGITS} digits",
            f"{len(shown)} of {len(texts)} notices show more of the number",
            notices=len(texts),
            shown=len(shown),
        )

    def weak_pin(self, now: Instant) -> Seen:
        """Chooses PINs that thieves try first, and the end of one's own number.

        Source: ISO/TS 12812-2:2017, 7.4.1; 7.3.2
        """
        number = self._site.number(1)
        guesses = (*_GUESSED_FIRST, number[-4:])
        return all_attempted(
            {
                f"guess {at}": attempted(partial(check_new_pin, Secret(one), number), NotPermitted)
                for at, one in enumerate(guesses)
            }
        )
