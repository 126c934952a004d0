"""Probes of the module, the policy's gate and the PIN, in this process; for a provider opened here.

Nothing that is tried becomes part of the provider's state, but for the tries of a PIN that belongs
to a probe customer.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.2; 8.2.3; 6.1
"""

from typing import Final

from tallystick.application.commands import Command, DialBalance, SetPin
from tallystick.application.customers import Customer
from tallystick.application.own_commands import EquipProbe, UseKeys
from tallystick.application.policing.store import last_policy
from tallystick.application.proving import Equipped
from tallystick.application.tries import TryEnded, TryPin
from tallystick.application.turn import Recorded
from tallystick.entry.assembly import Platform
from tallystick.entry.proving.customers import probe_customer
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
from tallystick.entry.proving.record import scan_for
from tallystick.entry.proving.site import Site
from tallystick.entry.selfchecking import Holds, examine_module
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.opening import open_master
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import (
    Broken,
    Conflict,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
    Unavailable,
)
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.process.policy.backends import KeyUse, broken_rule
from tallystick.process.policy.signing import sign_policy
from tallystick.protocol.policy_file import policy_text, read_policy_file

PIN_DIGITS = 6
_OF_THE_PLACE: Final = frozenset(("validation", "integrity", "memory"))
"""Items that certificates, packages and limits of the machine decide, not this program."""

_DECLARED: Final[tuple[Declared, ...]] = (
    ("master.sealed", CheckKind.NEGATIVE, ("MFS-8.2.3-03",),
     "the master key does not open with another secret"),
    ("keys.misuse", CheckKind.NEGATIVE, ("MFS-7.4.2-03",),
     "a key does nothing but its purpose, and a changed block is no key"),
    ("keys.profiles", CheckKind.NEGATIVE, ("MFS-7.4.2-10",),
     "a key of another profile is refused"),
    ("module.self-test", CheckKind.NEGATIVE, ("MFS-8.2.2-03", "MFS-8.2.3-02"),
     "a module whose known answer is wrong gives no service"),
    ("module.uses", CheckKind.NEGATIVE, (part("MFS-8.2.2-01"), part("MFS-8.2.3-04")),
     "the module is refused what it is not fit for, and the refusal is recorded"),
    ("module.list", CheckKind.POSITIVE, (part("MFS-8.2.1-01"), part("MFS-8.2.3-01")),
     "what can be tried of the list of ISO/IEC 19790 holds; a certificate is another matter"),
    ("module.random", CheckKind.POSITIVE, ("MFS-7.2.6-03",),
     "the watched source of random bytes serves, and does not repeat"),
    ("policy.unsigned", CheckKind.NEGATIVE, ("MFS-6.1-01", "MFS-6.2.3-03"),
     "a policy without, with strange or with old signatures is refused"),
    ("pin.right", CheckKind.POSITIVE, ("MFS-7.3.4-08",),
     "the right PIN of a probe customer is taken"),
    ("pin.wrong", CheckKind.NEGATIVE, ("MFS-7.3.2-02", "MFS-7.3.2-04"),
     "a wrong PIN is refused, and after the limit so is the right one"),
    ("clear.log", CheckKind.NEGATIVE, ("MFS-7.3.4-06",),
     "no credential of this run stands in the log"),
    ("clear.store", CheckKind.NEGATIVE, ("MFS-7.3.4-02", "MFS-7.3.4-03"),
     "neither code nor name nor number of a probe stands in the store"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class SecretProbes:
    """Looks at what only the provider's own process can reach.

    Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._equipped: Equipped | None = None
        self._pin: Secret[str] | None = None

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "master.sealed": self.master,
            "keys.misuse": self.misuse,
            "keys.profiles": self.profiles,
            "module.self-test": self.self_test,
            "module.uses": self.uses,
            "module.list": self.listed,
            "module.random": self.random,
            "policy.unsigned": self.policy,
            "pin.right": self.pin_right,
            "pin.wrong": self.pin_wrong,
            "clear.log": self.clear_log,
            "clear.store": self.clear_store,
        }
        declare(registry, _DECLARED, looks)

    @property
    def _platform(self) -> Platform:
        return self._site.opened()

    def master(self, now: Instant) -> Seen:
        """Tries to open the master key with a secret that is not its own.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        sealed = self._site.folder.master_file.read_bytes()
        other = Secret(self._platform.module.random(32))
        profile = self._site.settings.profile
        return attempted(
            lambda: open_master(sealed, other, profile=profile), NotAuthentic, NotPermitted
        )

    def misuse(self, now: Instant) -> Seen:
        """Tries to use keys for other purposes, and to import a block with a changed octet.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        module, keys = self._platform.module, self._platform.keys
        mac, signing = keys.newest(Purpose.ALIAS_INDEX), keys.newest(Purpose.TALLY)
        block = bytearray(module.export_block(module.generate(Purpose.SUBJECT)))
        block[-1] ^= 1
        nonce = module.random(12)
        return all_attempted(
            {
                "sign with a MAC key": attempted(lambda: module.sign(mac, b"x"), NotPermitted),
                "MAC with a signature key": attempted(
                    lambda: module.mac(signing, b"x"), NotPermitted
                ),
                "seal with a signature key": attempted(
                    lambda: module.seal(signing, nonce, b"x", b""), NotPermitted
                ),
                "import a changed block": attempted(
                    lambda: module.import_block(bytes(block)), NotAuthentic
                ),
            }
        )

    def profiles(self, now: Instant) -> Seen:
        """Tries to import a key that was made under another profile and another master key.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        profile = "demo" if self._site.settings.profile == "production" else "production"
        other = self._stranger(profile)
        block = other.export_block(other.generate(Purpose.SUBJECT))
        return attempted(
            lambda: self._platform.module.import_block(block), NotAuthentic, NotPermitted
        )

    def _stranger(self, profile: str) -> SoftModule:
        roots = MasterKey.generate(self._platform.module.random).roots(tuple(Purpose))
        return SoftModule(roots, self._site.clock, profile=profile)

    def self_test(self, now: Instant) -> Seen:
        """Starts a module of the same build whose known answers are wrong.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """

        def wrong() -> None:
            raise Broken("a known answer is wrong")

        roots = MasterKey.generate(self._platform.module.random).roots((Purpose.SUBJECT,))
        answers = dict.fromkeys(KNOWN_ANSWERS, wrong)
        module = SoftModule(roots, self._site.clock, known_answers=answers)
        return attempted(lambda: module.generate(Purpose.SUBJECT), Broken, Unavailable)

    def uses(self, now: Instant) -> Seen:
        """Asks to use the module for PINs of card schemes, as the writer decides it.

        Source: ISO/TS 12812-2:2017, 8.2.2; 8.2.3
        """
        told = self._platform.module.capabilities()
        (recorded,) = self._platform.writer.run((UseKeys(KeyUse.SCHEME_PINS, told),))
        outcome, fit = recorded.outcome, broken_rule(KeyUse.SCHEME_PINS, told, now) is None
        if not isinstance(outcome.reply, NotPermitted):
            says = f"{told.name} is fit for PINs of card schemes, and was let"
            return judged(fit, says, f"{told.name} was let do what it is not fit for")
        says = f"refused by {outcome.reply.because}, event {outcome.event}"
        return Seen(Verdict.PASS, says, {"row": outcome.reply.because}, (outcome.event,))

    def listed(self, now: Instant) -> Seen:
        """Goes through the list of ISO/IEC 19790.

        Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.3
        """
        items = examine_module(self._platform.module, self._site.clock)
        failing = [one.name for one in items if one.holds is Holds.NOT]
        tried = [one for one in failing if one not in _OF_THE_PLACE]
        return judged(
            not tried,
            f"{len(items)} items; not satisfied here: {', '.join(failing) or 'none'}",
            f"not satisfied: {', '.join(tried)}",
            items=len(items),
            failing=len(failing),
        )

    def random(self, now: Instant) -> Seen:
        """Whether two draws of the watched source differ, and all values of an octet come.

        Source: ISO/IEC 18031
        """
        one, two = self._platform.module.random(4096), self._platform.module.random(4096)
        values = len(set(one + two))
        return judged(
            one != two and values == 256,
            "two draws differ and use all values",
            "the draws repeat, or lack values",
            octets=8192,
            values=values,
        )

    def policy(self, now: Instant) -> Seen:
        """Tries to bring policies into force that officers did not approve.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        with self._site.reading() as reader:
            stored = last_policy(reader)
        if stored is None:
            return unknown("no policy is in force")
        file = read_policy_file(stored[1].encode())
        name = next(iter(self._site.settings.officers))
        forged = sign_policy(policy_text(file), name, Es256SigningKey.generate())
        gate, version = self._platform.desks.policy, stored[0]

        def enters(one: object, above: int) -> None:
            gate.verify(encode_canonical(one).decode(), above=above)

        bare = replace(file, signatures=())
        return all_attempted(
            {
                "without a signature": attempted(lambda: enters(bare, version - 1), NotPermitted),
                "under an officer's name": attempted(
                    lambda: enters(forged, version - 1), NotAuthentic
                ),
                "once more": attempted(lambda: enters(file, version), Conflict),
            }
        )

    def _run(self, command: Command) -> Recorded:
        (recorded,) = self._platform.writer.run((command,))
        if isinstance(recorded.outcome.reply, Exception):
            raise recorded.outcome.reply
        return recorded

    def _customer(self) -> Customer:
        if self._equipped is None:
            raise NotFound("no probe customer was equipped")
        return self._platform.desks.customers.get(self._equipped.customer)

    def _new_pin(self) -> Secret[str]:
        number = int.from_bytes(self._platform.module.random(8), "big") % 10**PIN_DIGITS
        return Secret(f"{number:0{PIN_DIGITS}d}")

    def _set_pin(self, pin: Secret[str]) -> Customer:
        """Give the probe customer a new PIN by way of its code, which begins the count anew."""
        told: list[Equipped] = []
        self._run(EquipProbe(probe_customer(self._site, self._platform, 1), told.append))
        self._equipped = one = told[0]
        self._site.canaries["activation code"] = one.code.reveal().encode()
        pins, owner = self._platform.pin_verifier, one.customer
        kept = pins.make(pins.seal(pin, owner), owner, owner)
        code = self._platform.desks.access.keyed(one.activation, one.code)
        self._run(SetPin(one.customer, one.activation, code, kept))
        return self._customer()

    def _try(self, pin: Secret[str]) -> None:
        """One dialled try, as the door makes it: counted, checked, then acted on."""
        customer = self._customer()
        self._run(TryPin(customer.id))
        try:
            pins, owner = self._platform.pin_verifier, customer.id
            pins.check(pins.seal(pin, owner), owner, owner, customer.pin)
        except NotAuthentic:
            self._run(TryEnded(customer.id, right=False))
            raise
        self._run(DialBalance(customer.id))

    def pin_right(self, now: Instant) -> Seen:
        """Sets a PIN, and dials with it.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        pin = self._new_pin()
        self._site.canaries["PIN"] = pin.reveal().encode()
        kept = self._set_pin(pin).pin
        self._pin = pin
        self._try(pin)
        cost = self._site.settings
        return judged(
            pin.reveal().encode() not in kept and self._customer().pin_failures == 0,
            f"taken; a guess costs {cost.pin_memory_kib} KiB",
            "the PIN stands in what is kept of it",
            memory_kib=cost.pin_memory_kib,
            passes=cost.pin_passes,
        )

    def pin_wrong(self, now: Instant) -> Seen:
        """Dials wrong PINs up to the limit, and then the right one.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        right = self._pin
        if right is None:
            return unknown("no PIN was set in this run")
        limit = self._platform.desks.policy.compiled.policy.attempts.limit
        wrong = Secret(f"{(int(right.reveal()) + 1) % 10**PIN_DIGITS:0{PIN_DIGITS}d}")
        refused = 0
        for _ in range(limit):
            try:
                self._try(wrong)
            except NotAuthentic:
                refused += 1
        try:
            self._try(right)
        except NotAuthentic as error:
            self._set_pin(self._new_pin())  # so that the next run's orders are ordinary ones
            return judged(
                refused == limit,
                f"{refused} refused, then blocked: {error.detail}",
                f"only {refused} of {limit} wrong PINs were refused",
                limit=limit,
                refused=refused,
            )
        except MfsError as error:
            return unknown(f"the right PIN was refused otherwise: {error.code}")
        return failed(f"the right PIN was taken after {limit} wrong ones", limit=limit)

    def clear_log(self, now: Instant) -> Seen:
        """Looks for what was used in this run in what the service logged.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        named = self._site.log_file
        return scan_for([named] if named else [], self._site.log, self._site.canaries)

    def clear_store(self, now: Instant) -> Seen:
        """Looks for code, name and number of the probe customer in the embedded store.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        file = self._site.folder.database_file
        wanted = {name: one for name, one in self._site.canaries.items() if name != "PIN"}
        paths = [file, file.with_name(f"{file.name}-wal")]
        if not file.exists():
            return unknown("the store is on a server, whose files are not here")
        return scan_for(paths, [], wanted)
