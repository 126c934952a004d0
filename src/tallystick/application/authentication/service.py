"""Who may come in: activation codes redeemed, devices enrolled, sessions established.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1
"""

from tallystick.application.apps.told import app_of_enrolment, app_said, notice_of
from tallystick.application.attempts import Subjects
from tallystick.application.authentication.model import Activation, Session, new_code
from tallystick.application.authentication.people import Keys, People, Redeemed
from tallystick.application.authentication.store import ACTIVATION
from tallystick.application.customers import Customer
from tallystick.application.devicelife.rules import Act, By, Follow
from tallystick.application.devices import Device
from tallystick.application.devices.model import COPIED
from tallystick.application.turn import Outcome, Turn
from tallystick.application.typedcodes import KeyedCode
from tallystick.infrastructure.envelope.handshake_server import (
    AuthenticatedDevice,
    OpenedEnrolment,
)
from tallystick.infrastructure.envelope.renewal import (
    FIRST_COUNTER,
    Overtaken,
    Renewed,
    Resynchronised,
    Spent,
)
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict, NotAuthentic, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.process.policy import AccountStatus, Facts, Permit
from tallystick.process.policy.facts import Channel, Factor, Operation
from tallystick.protocol.enrolment import EnrolmentAccepted
from tallystick.protocol.session import SessionAccepted


class Access:
    """Redeems activation codes, enrols devices, establishes sessions.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1
    """

    def __init__(self, keys: Keys, people: People, reader: Reader, *, capacity: int) -> None:
        """Join the capabilities that coming in needs.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._keys = keys
        self._customers = people.customers
        self._devices = people.devices
        self._sessions = people.sessions
        self._notices = people.notices
        self._policy = people.policy
        self._signals = people.signals
        self._attempts = people.attempts
        self._apps = people.apps
        self._life = people.life
        self._life.follow(Follow.SESSIONS, self._end_sessions)
        self._life.follow(Follow.CODES, self._void_codes)
        self.when_redeemed: list[Redeemed] = []
        self._activations = RowCache(ACTIVATION, Activation, reader, capacity=capacity)
        # What is not there is tried like what is: this one has ended and is nobody's.
        self._nobodys = Activation(
            id="nobody",
            customer="",
            code_mac=keys.module.random(32),
            expires_at=0,
            attempts=0,
            used_at=0,
            issued_by="nobody",
        )

    def issue(self, turn: Turn, customer: Customer, issued_by: str) -> Activation:
        """A new activation code for `customer`, sent to the customer's number and shown to nobody.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        activation, code = self._issue(turn, customer, issued_by)
        self._notices.add_code(turn, customer.id, activation.id, code)
        return activation

    def issue_by_hand(
        self, turn: Turn, customer: Customer, issued_by: str
    ) -> tuple[Activation, Secret[str]]:
        """A new activation code for `customer`, given to the caller and sent to nobody.

        For customers that the provider keeps to try itself; no operation of the service leads here.
        Source: ISO/TS 12812-2:2017, 7.4.1; 9.1
        """
        return self._issue(turn, customer, issued_by)

    def _issue(
        self, turn: Turn, customer: Customer, issued_by: str
    ) -> tuple[Activation, Secret[str]]:
        identifier = turn.new_id("atv")
        code = new_code(turn.entropy(16))
        activation = Activation(
            id=identifier,
            customer=customer.id,
            code_mac=self._code_mac(identifier, code),
            expires_at=turn.now + self._policy.compiled.policy.attempts.activation_life_ms,
            attempts=0,
            used_at=0,
            issued_by=issued_by,
        )
        self._activations.put(identifier, activation, turn.changes)
        self._customers.save(turn, replace(customer, activation=identifier))
        return activation, code

    def keyed(self, activation: str, code: Secret[str]) -> KeyedCode:
        """The `code` of an activation as doors hand it on: what was typed, under a key.

        Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.1
        """
        return KeyedCode(self._code_mac(activation, code))

    def redeem(self, turn: Turn, activation: str, code: KeyedCode, source: str = "") -> Customer:
        """Use up an activation; the try is counted with this commit whatever comes of it.

        It counts against the activation, its customer and the `source` that it came from. Raises
        NotAuthentic alike for an unknown, used, expired, exhausted, blocked and wrong code.
        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1
        """
        known = self._activations.get(activation) or self._nobodys
        who = Subjects(known.customer, source=source)
        held = False
        try:
            self._attempts.count(turn, who)
        except NotAuthentic:
            held = True
        rules = self._policy.compiled.policy.attempts
        usable = (
            not held
            and not known.used_at
            and turn.now <= known.expires_at
            and known.attempts < rules.activation_tries
        )
        tried = replace(known, attempts=known.attempts + 1)
        self._activations.put(known.id, tried, turn.changes)
        right = code.is_of(known.code_mac)
        if not (usable and right):
            self._attempts.wrong(turn, who, held=held)
            raise _wrong_code()
        self._attempts.right(turn, who)
        self._activations.put(known.id, replace(tried, used_at=turn.now), turn.changes)
        return self._customers.active(self._customers.get(known.customer))

    def redeemed(self, turn: Turn, customer: Customer, activation: str, device: str) -> None:
        """The code of `activation` bound `device`, or a PIN or a SIM if that is empty.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        for tell in self.when_redeemed:
            tell(turn, customer, activation, device)

    def void(self, turn: Turn, activation: str) -> None:
        """Let nobody use an activation any more; one that was used stays so.

        Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
        """
        known = self._activations.get(activation)
        if known is not None and not known.used_at:
            self._activations.put(known.id, replace(known, used_at=turn.now), turn.changes)

    def customer_of(self, activation: str) -> Customer | None:
        """Whose activation it is, whether or not it can be used; None for an unknown one.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        known = self._activations.get(activation)
        return None if known is None else self._customers.get(known.customer)

    def enrol(self, turn: Turn, opened: OpenedEnrolment, source: str = "") -> Outcome:
        """Enrol the device whose keys were proved, if its code is right and the policy allows it.

        Without using up the code it raises OutOfReach while what enrolling leans on fails, the
        policy's refusal while the SIM that the code was sent to changed too lately, NotPermitted
        for evidence that breaks a rule without which nobody enrols, and UpgradeRequired for an
        application that is altered, denied, withdrawn or too old.
        LimitExceeded for a customer who has as many devices as may be.
        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1
        """
        self._policy.check_reach(Operation.ENROL, turn.now)
        self._policy.check_reach(Operation.ACTIVATE, turn.now)
        expected = self.customer_of(opened.activation)
        if expected is not None:
            self._signals.hold_back(expected, Operation.ACTIVATE, Channel.APP, turn.now)
            self._life.check_room(expected, self._issuer(opened.activation))
        evidence = self._devices.attesting.appraise(opened, turn.now)
        self._devices.attesting.check(evidence)
        app = app_of_enrolment(opened, evidence)
        self._apps.look(app, "", turn.now)
        code = self.keyed(opened.activation, opened.code)
        customer = self.redeem(turn, opened.activation, code, source)
        self._permit(turn, customer, None, Operation.ENROL, (Factor.POSSESSION.value,))
        device = self._devices.enrol(turn, customer, opened, turn.provider, evidence)
        self._apps.come_in(turn, device.id, app, fresh=True)
        self._life.enrolled(turn, device, self._issuer(opened.activation))
        self.redeemed(turn, customer, opened.activation, device.id)
        transcript = b64url(opened.transcript)
        index = turn.record_about(
            "device.enrolled",
            policy=self._policy.version,
            mac=self._customers.commit_mac(customer),
            committed={"customer": customer.id, "device": device.id, "transcript": transcript},
            public={
                "attested": device.attestation_format,
                "trust": device.trust,
                **({} if evidence is None else evidence.words()),
            },
        )
        accepted = EnrolmentAccepted(
            device=device.id,
            customer=customer.id,
            accounts=(customer.account,),
            certificate=device.certificate,
            counter=FIRST_COUNTER,
            server_time=turn.now,
        )
        return Outcome(accepted, index)

    def establish(self, turn: Turn, proved: AuthenticatedDevice) -> Outcome:
        """Open a session for a device whose signature verified.

        Raises NotPermitted for a suspended device and for a copy, which is suspended with this
        commit; UpgradeRequired for an application that may not run; Conflict for a handshake that
        was overtaken; OutOfReach while what a login leans on fails.
        Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.5; 7.2.8
        """
        self._policy.check_reach(Operation.LOGIN, turn.now)
        device = self._devices.active(proved.device)
        customer = self._customers.active(self._customers.get(device.customer), asks=True)
        self._permit(turn, customer, device, Operation.INQUIRE, (Factor.POSSESSION.value,))
        standing = self._apps.come_in(turn, device.id, app_said(proved.app))
        judged = self._devices.renew(turn, device, proved.renewal)
        if isinstance(judged, Spent):
            raise self._suspend_copy(turn, device)
        if isinstance(judged, Overtaken):
            raise Conflict("a later handshake came first", remedy="begin a new one")
        if not isinstance(judged, Renewed | Resynchronised):
            raise NotPermitted(
                "the device is ahead of what is known of it", remedy="enrol the phone again"
            )
        rule = self._policy.compiled.session(Channel.APP.value)
        opened = isinstance(judged, Renewed)
        if opened:
            newest = rule.beyond == "replace"
            self._sessions.make_room(turn, customer.id, rule.at_most, replace=newest)
            self._open(turn, proved, device, customer, rule.idle_ms, rule.absolute_ms)
        accepted = SessionAccepted(
            session=proved.session,
            open=opened,
            counter=judged.record.counter,
            expires_idle_s=rule.idle_ms // 1000,
            expires_at=turn.now + rule.absolute_ms,
            policy_version=self._policy.version,
            server_time=turn.now,
            app=notice_of(standing),
        )
        return Outcome(accepted)

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._activations.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._activations.reset()

    def sweep(self, turn: Turn) -> None:
        """Judge devices again whose verdict is past, a few a turn; what changes is an event.

        Source: ISO/TS 12812-2:2017, 7.2.6; 7.3.5
        """
        for device in self._devices.sweep(turn):
            self.appraised(turn, device)

    def appraised(self, turn: Turn, device: Device) -> None:
        """Record that the trust of `device` changed, and why.

        Source: ISO/TS 12812-2:2017, 7.2.6; 7.3.5
        """
        customer = self._customers.get(device.customer)
        turn.record_about(
            "device.appraised",
            policy=self._policy.version,
            mac=self._customers.commit_mac(customer),
            committed={"customer": customer.id, "device": device.id},
            public={"trust": device.trust, **self._devices.attesting.words(device)},
        )

    def _suspend_copy(self, turn: Turn, device: Device) -> NotPermitted:
        because = COPIED
        self._life.act(turn, device, Act.SUSPEND, By.PROVIDER, because)
        return NotPermitted(
            "the device is suspended",
            because=because,
            remedy="call the provider, or enrol the phone again",
        )

    def _open(
        self,
        turn: Turn,
        proved: AuthenticatedDevice,
        device: Device,
        customer: Customer,
        idle_ms: int,
        absolute_ms: int,
    ) -> None:
        session = Session(
            id=proved.session,
            device=device.id,
            customer=customer.id,
            account=customer.account,
            channel=Channel.APP.value,
            wrapped=b"",
            wrap_day=0,
            established_at=turn.now,
            last_seen=turn.now,
            idle_ms=idle_ms,
            expires_at=turn.now + absolute_ms,
            window_high=0,
            window_bits=0,
            factors=(Factor.POSSESSION.value,),
        )
        self._sessions.open(turn, session, proved.keys)

    def _issuer(self, activation: str) -> str:
        known = self._activations.get(activation)
        return "" if known is None else known.issued_by

    def _end_sessions(self, turn: Turn, device: Device) -> None:
        turn.on_durable(lambda: self._sessions.end_device(device.id, turn.now))

    def _void_codes(self, turn: Turn, device: Device) -> None:
        self.void(turn, self._customers.get(device.customer).activation)

    def _permit(
        self,
        turn: Turn,
        customer: Customer,
        device: Device | None,
        operation: Operation,
        factors: tuple[str, ...],
    ) -> None:
        facts = Facts(
            operation=operation.value,
            channel=Channel.APP.value,
            tier=customer.tier,
            device_trust="unknown" if device is None else device.trust,
            account_status=AccountStatus(customer.status.value).value,
            factors=factors,
            device_age_ms=0 if device is None else max(0, turn.now - device.enrolled_at),
            account_age_ms=max(0, turn.now - customer.opened_at),
            minute_of_day=self._policy.compiled.minute_of_day(turn.now),
            degraded=self._policy.degraded_since(turn.now),
        )
        verdict = self._policy.decide(facts, subject=customer.id)
        if not isinstance(verdict, Permit):
            raise verdict.error()

    def _code_mac(self, activation: str, code: Secret[str]) -> bytes:
        message = activation.encode() + b"\x00" + code.reveal().encode()
        return self._keys.module.mac(self._keys.activation, message)


def _wrong_code() -> NotAuthentic:
    return NotAuthentic("the activation code is not valid", remedy="check it, or ask for a new one")
