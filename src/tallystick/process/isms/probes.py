"""Evidence out of registers: reviewed in time, complete, nothing overdue.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.6; 9.1; 9.4
"""

from collections.abc import Callable, Iterable
from typing import Final

from tallystick.kernel.evidence import Evidence, Probe, Verdict
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.isms.certificates import trust
from tallystick.process.isms.clocks import due
from tallystick.process.isms.gaps import Surroundings, gaps
from tallystick.process.isms.inventory import Inventory, concerns
from tallystick.process.isms.model import Registers, Shape
from tallystick.process.isms.shapes import SHAPES

_SHOWN = 400
_AND_MORE: Final = 16


class State(Record, frozen=True, kw_only=True):
    """What probes look at: the registers, what they are held against, the keys in use.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    registers: Registers
    around: Surroundings
    inventory: Inventory


Look = Callable[[], State]
"""Reads the present state; called at each observation."""


def register_probes(look: Look) -> tuple[Probe, ...]:
    """One probe for each register, for reviews, for certificates, for keys and mechanisms.

    Source: ISO/TS 12812-2:2017, 9
    """
    kept = (RegisterProbe(shape, look) for shape in SHAPES.values())
    return (*kept, ReviewProbe(look), CertificateProbe(look), InventoryProbe(look))


class RegisterProbe:
    """Looks whether one register is kept.

    Source: ISO/TS 12812-2:2017, 6.2.1; 9
    """

    def __init__(self, shape: Shape, look: Look) -> None:
        self.name = f"registers.{shape.name}"
        self.requirements = shape.requirements
        self._register = shape.name
        self._look = look

    def observe(self, now: Instant) -> Evidence:
        """Pass if it is reviewed in time, complete, and nothing in it is overdue.

        Unknown where it is not kept, fail where it cannot be read.
        Source: ISO/TS 12812-2:2017, 6.2.1; 9
        """
        state = self._look()
        registers = state.registers
        register = registers.kept.get(self._register)
        if register is None:
            broken = registers.is_broken(self._register)
            return Evidence(
                probe=self.name,
                requirements=self.requirements,
                verdict=Verdict.FAIL if broken else Verdict.UNKNOWN,
                observed_at=now,
                summary="it cannot be read" if broken else "it is not kept",
                measured={},
            )
        late = [
            one
            for one in due(registers, now, ahead_ms=0)
            if one.register == self._register and one.overdue
        ]
        lacking = gaps(registers, self._register, now, state.around)
        found = [*(f"overdue: {one.what}" for one in late), *lacking]
        return Evidence(
            probe=self.name,
            requirements=self.requirements,
            verdict=Verdict.FAIL if found else Verdict.PASS,
            observed_at=now,
            summary=_in_a_line(found) or "reviewed, complete, nothing overdue",
            measured={
                "entries": len(register.entries),
                "overdue": len(late),
                "gaps": len(lacking),
                "days_since_review": max(0, now - register.reviewed) // DAY_MS,
            },
        )


class ReviewProbe:
    """Looks whether every register was reviewed in time, and every party's attestation counts.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    name = "registers.reviews"
    requirements: tuple[str, ...] = ("MFS-6.2.1-04",)

    def __init__(self, look: Look) -> None:
        self._look = look

    def observe(self, now: Instant) -> Evidence:
        """Pass if all registers are kept and reviewed, and no party's attestation has ended.

        Unknown where none is kept.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        registers = self._look().registers
        missing = [name for name in SHAPES if name not in registers.kept]
        late = [
            one
            for one in due(registers, now, ahead_ms=0)
            if one.overdue and one.register in registers.kept
            if not one.entry or one.register == "parties"
        ]
        found = [
            f"{name} {'cannot be read' if registers.is_broken(name) else 'is not kept'}"
            for name in missing
        ]
        found += [f"{one.register} {one.entry}: {one.what}".replace(" :", ":") for one in late]
        verdict = Verdict.FAIL if found else Verdict.PASS
        return Evidence(
            probe=self.name,
            requirements=self.requirements,
            verdict=verdict if registers.kept else Verdict.UNKNOWN,
            observed_at=now,
            summary=_in_a_line(found) or "every register was reviewed in time",
            measured={"kept": len(registers.kept), "missing": len(missing), "late": len(late)},
        )


class CertificateProbe:
    """Looks whether the certificates that are kept still count, and whether the table knows them.

    Source: ISO/TS 12812-2:2017, 9.1; 9.4
    """

    name = "registers.certificates"
    requirements: tuple[str, ...] = ("MFS-9.1-01", "MFS-9.4-01")

    def __init__(self, look: Look) -> None:
        self._look = look

    def observe(self, now: Instant) -> Evidence:
        """Pass if every certificate that was not withdrawn counts; unknown where none is kept.

        Source: ISO/TS 12812-2:2017, 9.1; 9.4
        """
        around = self._look().around
        gone = {one.certificate for one in around.withdrawn if one.at <= now}
        standing = [one for one in around.certificates if one.id not in gone]
        judged = [(one, trust(one, now)) for one in standing]
        unmapped = [one.id for one, found in judged if not found.mapped]
        lapsed = [f"{one.id}: {found.says}" for one, found in judged if not found.strength]
        verdict = Verdict.FAIL if lapsed else Verdict.PASS
        return Evidence(
            probe=self.name,
            requirements=self.requirements,
            verdict=verdict if standing else Verdict.UNKNOWN,
            observed_at=now,
            summary=_in_a_line(lapsed) or f"{len(standing)} certificates count",
            measured={
                "certificates": len(standing),
                "withdrawn": len(gone),
                "unmapped": len(unmapped),
                "worth_nothing": len(lapsed),
            },
        )


class InventoryProbe:
    """Looks whether the keys in use are in their time and their mechanisms approved.

    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """

    name = "registers.keys"
    requirements: tuple[str, ...] = ("MFS-7.4.2-01",)

    def __init__(self, look: Look) -> None:
        self._look = look

    def observe(self, now: Instant) -> Evidence:
        """Pass if nothing in the inventory is a concern; unknown where there is no key.

        Source: ISO/TS 12812-2:2017, 7.4.2; C
        """
        found = self._look().inventory
        wrong = list(concerns(found, now))
        verdict = Verdict.FAIL if wrong else Verdict.PASS
        return Evidence(
            probe=self.name,
            requirements=self.requirements,
            verdict=verdict if found.keys else Verdict.UNKNOWN,
            observed_at=now,
            summary=_in_a_line(wrong) or f"{len(found.keys)} keys, every mechanism approved",
            measured={
                "keys": len(found.keys),
                "mechanisms": len({one.mechanism for one in found.keys}),
                "concerns": len(wrong),
            },
        )


def _in_a_line(found: Iterable[str]) -> str:
    """As many of `found` as a summary takes, each whole and once, and how many are left out."""
    said = list(dict.fromkeys(found))
    taken, length = 0, 0
    for one in said:
        length += len(one) + 2
        if length > _SHOWN - _AND_MORE and taken:
            break
        taken += 1
    left = len(said) - taken
    more = (f"and {left} more",) if left else ()
    return "; ".join((*said[:taken], *more))[:_SHOWN]
