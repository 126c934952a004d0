"""Probes of the telephones that are enrolled: how many proved their keys, and what they report.

Source: ISO/TS 12812-2:2017, 7.2.6; 9.1
"""

from decimal import Decimal
from typing import Final

from tallystick.application.devices.store import trust_counts
from tallystick.application.fleet.store import established, told_by_devices
from tallystick.application.proving.service import PROVING
from tallystick.entry.fleet import ESTABLISHED_MS, signalled
from tallystick.entry.proving.looking import Declared, Seen, declare, judged, unknown
from tallystick.entry.proving.site import Site
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.process.programme.reading import read_programme
from tallystick.process.risk.observing import expected_share
from tallystick.process.risk.pressing import LEAST, PREFIX, SIGNALS, steps_for

ATTESTED: Final = "devices.attested"
TOLERANCE: Final = Decimal("0.05")
"""How far the share may be below what the programme says of its customers' telephones."""

_HARDWARE: Final = "attested-hardware"
_ENVIRONMENTS: Final = ("keystore", "tee", "secure-element")
_DECLARED: Final[tuple[Declared, ...]] = (
    (ATTESTED, CheckKind.TELEMETRY, ("MFS-7.2.6-01",),
     "as many telephones prove a key in hardware as the programme says can"),
    (SIGNALS, CheckKind.TELEMETRY, ("MFS-7.2.2-04",),
     "no signal comes from so many telephones trusted for long that it counts for all"),
)  # fmt: skip


class PopulationProbes:
    """Looks at the enrolled telephones of one provider.

    Source: ISO/TS 12812-2:2017, 7.2.6; 9.1
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        declare(registry, _DECLARED, {ATTESTED: self.attested, SIGNALS: self.signals})

    def attested(self, now: Instant) -> Seen:
        """The share of active telephones with a proven hardware key, against the programme's.

        Telephones of the probe customers do not count: their keys are files.
        Source: ISO/TS 12812-2:2017, 7.2.6
        """
        with self._site.reading() as reader:
            counts = trust_counts(reader, besides=PROVING)
        total, proven = sum(counts.values()), counts.get(_HARDWARE, 0)
        if not total:
            return unknown("no telephone of a customer is enrolled")
        try:
            text = self._site.folder.programme_file.read_text(encoding="utf-8")
            wanted = expected_share(read_programme(text), _ENVIRONMENTS)
        except (OSError, UnicodeDecodeError, MfsError):
            return unknown(
                "no programme says how many telephones can", numerator=proven, denominator=total
            )
        says = f"{proven} of {total} telephones proved a key in hardware; {wanted:.0%} can"
        return judged(
            Decimal(proven) / total >= wanted - TOLERANCE,
            says,
            says,
            numerator=proven,
            denominator=total,
        )

    def signals(self, now: Instant) -> Seen:
        """Which signals come from many of the telephones that are trusted for long.

        Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.3
        """
        with self._site.reading() as reader:
            watched = established(reader, _HARDWARE, now - ESTABLISHED_MS, PROVING)
            told = signalled(told_by_devices(reader, PROVING), now)
        measured = {PREFIX + one.signal: one.established for one in told}
        if watched < LEAST:
            says = f"{watched} telephones are trusted for long, too few to say that a share is high"
            return judged(True, says, says, watched=watched, **measured)
        many = [one for one in told if steps_for(one.established, watched)]
        loud = ", ".join(f"{one.signal} from {one.established}" for one in many)
        return judged(
            not many,
            f"none of {watched} telephones trusted for long report what counts for all",
            f"of {watched} telephones trusted for long: {loud}",
            watched=watched,
            **measured,
        )
