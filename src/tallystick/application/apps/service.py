"""The register of applications that the writer keeps, and the question that devices are asked.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.5; 7.2.8
"""

from collections.abc import Iterable, Mapping

from tallystick.application.apps.store import SEEN, STATED, AppRow, SeenRow, every_statement
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict, Malformed, NotFound, UpgradeRequired
from tallystick.kernel.model import replace, row_of
from tallystick.kernel.time import Instant
from tallystick.process.apps.manifest import (
    AppDenial,
    AppRelease,
    AppWithdrawal,
    RollOut,
    Stated,
    read_stated,
)
from tallystick.process.apps.rules import AppIdentity, AppRegister, May, Standing, judge
from tallystick.process.isms.signing import verify_statement
from tallystick.protocol.statements import SignedStatement, StatementRecorded

_REMEDY = "install the newest version from the official store"


class Applications:
    """Takes what officers sign of applications, and says what a device may do with its own.

    Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.8
    """

    def __init__(
        self,
        officers: Mapping[str, VerifyKey],
        profile: str,
        policy: PolicyInForce,
        reader: Reader,
        *,
        capacity: int,
    ) -> None:
        """Believe the `officers` that were fixed at set-up, as many as `profile` demands.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        self._officers = officers
        self._profile = profile
        self._policy = policy
        self._reader = reader
        self._register: AppRegister | None = None
        self._in_doubt = False
        self._seen = RowCache(SEEN, SeenRow, reader, capacity=capacity)

    @property
    def register(self) -> AppRegister:
        """All that was stated until now.

        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        if self._register is None:
            self._register = register_of(every_statement(self._reader))
        return self._register

    def verify(self, statement: SignedStatement) -> bytes:
        """The body of `statement`, if enough officers of this service signed it.

        Raises NotPermitted, NotAuthentic.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        dual = self._policy.two_signatures
        return verify_statement(statement, self._officers, self._profile, dual=dual)

    def state(self, turn: Turn, statement: SignedStatement) -> Outcome:
        """Enter what officers signed.

        Raises NotPermitted, NotAuthentic, Malformed; Conflict for a release, withdrawal or denial
        that is entered already and for a roll-out that another one came before; NotFound for one of
        a release that is not entered.
        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        body = self.verify(statement)
        stated = read_stated(statement.about, body)
        before = self.register
        check_fits(before, stated, turn.now)
        index = turn.record(
            statement.about.replace("app-", "app.", 1),
            policy=self._policy.version,
            public={
                **words_of(stated),
                "file": b64url(sha256(body)),
                "officers": " ".join(sorted(one.officer for one in statement.signatures)),
            },
        )
        row = AppRow(id=row_id(stated), about=statement.about, body=body, event=index)
        turn.changes.upsert(STATED, row.id, row_of(row))
        self._register = with_stated(before, stated)
        self._in_doubt = True  # until a batch is known to be durable
        turn.on_undo(lambda: self._back(before))
        return Outcome(StatementRecorded(says="it is in the register", event=index), index)

    def _back(self, before: AppRegister) -> None:
        self._register = before

    def look(self, app: AppIdentity | None, device: str, now: Instant) -> Standing:
        """What `device`, empty for a new one, may do with `app`.

        Raises UpgradeRequired where that is nothing.
        Source: ISO/TS 12812-2:2017, 7.2.5; 7.4.4
        """
        found = judge(self.register, app, device, now)
        if found.may is May.REFUSE:
            raise UpgradeRequired(found.says, because=found.because, remedy=_REMEDY)
        return found

    def come_in(
        self, turn: Turn, device: str, said: AppIdentity | None, *, fresh: bool = False
    ) -> Standing:
        """What `device` may do with the application that it says it runs, which is kept.

        `fresh` is an enrolment, which keeps what it is given. Later the device's own word says
        which version it runs since. Raises UpgradeRequired.
        Source: ISO/TS 12812-2:2017, 7.2.5; 7.2.8
        """
        known = self._seen.get(device)
        app = said if fresh or known is None else updated(known.identity(), said)
        found = self.look(app, device, turn.now)
        if app is not None:
            self._keep(turn, device, app, known)
        return found

    def _keep(self, turn: Turn, device: str, app: AppIdentity, known: SeenRow | None) -> None:
        """Keep that `device` runs `app`, if that is not what is `known`."""
        if known is not None and known.identity() == app:
            return
        row = SeenRow(
            device=device,
            platform=app.platform,
            package=app.package,
            version=app.version,
            signers=" ".join(app.signers),
            digest=app.digest,
            attested=int(app.attested),
            since=turn.now,
        )
        self._seen.put(device, row, turn.changes)

    def shown(self, turn: Turn, device: str, app: AppIdentity | None) -> None:
        """Keep what an enrolled `device` showed that it runs now, and hold it against the register.

        A platform that names no version, or no digest, leaves what the device said of the same
        package. Raises UpgradeRequired; what was shown is kept then too.
        Source: ISO/TS 12812-2:2017, 7.2.5; 7.2.8; 7.4.4
        """
        if app is None:
            return
        known = self._seen.get(device)
        before = None if known is None else known.identity()
        if before is not None and (before.platform, before.package) == (app.platform, app.package):
            same = app.version in {0, before.version}
            digest = before.digest if same else ""
            app = replace(app, version=app.version or before.version, digest=app.digest or digest)
        self._keep(turn, device, app, known)
        self.look(app, device, turn.now)

    def check_orders(self, device: str, now: Instant) -> None:
        """Return only if `device` may order with the application that it runs.

        Raises UpgradeRequired.
        Source: ISO/TS 12812-2:2017, 7.2.8
        """
        if not self._asks:
            return
        known = self._seen.get(device)
        found = self.look(None if known is None else known.identity(), device, now)
        if found.may is May.LIMIT:
            raise UpgradeRequired(found.says, because=found.because, remedy=_REMEDY)

    @property
    def _asks(self) -> bool:
        """Whether anything is stated that an order could be refused for."""
        return bool(self.register.releases or self.register.denied)

    def prefetch(self, devices: Iterable[str]) -> None:
        """Bring what `devices` run into memory with at most one statement, if it is asked for.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._asks:
            self._seen.prefetch(devices)

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._seen.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._in_doubt:
            self._register = None
            self._in_doubt = False
        self._seen.reset()


def updated(known: AppIdentity, said: AppIdentity | None) -> AppIdentity:
    """What a device runs that was seen with `known` and now says `said`.

    Whoever attested a package runs it still if version and package are the same; a package that
    took its place is its own word, which must be a whole package of the register. The platform
    itself lets only the same signer take the place of a package.
    Source: ISO/TS 12812-2:2017, 7.2.5; 7.2.8
    """
    if said is None:
        return known
    same = (said.platform, said.package) == (known.platform, known.package)
    if same and said.version == known.version:
        return replace(known, digest=said.digest)
    return replace(said, attested=known.attested and same)


def row_id(stated: Stated) -> str:
    """Under what a statement is kept; a newer roll-out takes the place of the one before.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    if isinstance(stated, AppDenial):
        return f"denied {stated.subject}"
    if isinstance(stated, RollOut):
        return f"roll-out {stated.platform} {stated.package}"
    sort = "released" if isinstance(stated, AppRelease) else "withdrawn"
    return f"{sort} {stated.platform} {stated.package} {stated.version}"


def words_of(stated: Stated) -> dict[str, str | int]:
    """What the event of a statement says to everybody.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    if isinstance(stated, AppDenial):
        return {"subject": stated.subject, "because": stated.because}
    found: dict[str, str | int] = {
        "platform": stated.platform.value,
        "package": stated.package,
        "version": stated.version,
    }
    if isinstance(stated, AppRelease):
        found |= {"digest": stated.digest, "signers": " ".join(stated.signers)}
    elif isinstance(stated, RollOut):
        found |= {"share": stated.share, "least": stated.least}
    else:
        found["because"] = stated.because
    return found


def check_fits(register: AppRegister, stated: Stated, now: Instant) -> None:
    """Return only if `stated` can be entered into `register`.

    Raises Conflict, NotFound, Malformed.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    if isinstance(stated, AppDenial):
        if stated.subject in register.denied:
            raise Conflict(
                "this signer or package is denied already", remedy="nothing is to be done"
            )
        return
    place = (stated.platform.value, stated.package, stated.version)
    if isinstance(stated, AppRelease):
        _check_release(register, stated, place)
        return
    if place not in register.releases:
        raise NotFound("no such release is in the register", remedy="enter the release first")
    if isinstance(stated, AppWithdrawal):
        if place in register.withdrawn:
            raise Conflict("the release was withdrawn before", remedy="nothing is to be done")
        if not 0 < stated.at <= now:
            raise Malformed("a release is withdrawn from a moment that has passed")
        return
    earlier = register.rolled_out.get(place[:2])
    if earlier is not None and stated.number <= earlier.number:
        raise Conflict(f"roll-out {earlier.number} is in force", remedy="number the new one higher")
    if place in register.withdrawn:
        raise Conflict("the release was withdrawn", remedy="roll out another version")


def _check_release(register: AppRegister, stated: AppRelease, place: tuple[str, str, int]) -> None:
    if place in register.releases or stated.digest in register.digests():
        raise Conflict(
            "this version or this package is released already",
            remedy="give the next version its own number",
        )
    denied = next((one for one in (*stated.signers, stated.digest) if one in register.denied), "")
    if denied:
        raise Conflict(
            "the signer or the package is denied", remedy="build it anew under another signer"
        )


def with_stated(register: AppRegister, stated: Stated) -> AppRegister:
    """`register` with `stated` entered.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    releases, withdrawn = dict(register.releases), dict(register.withdrawn)
    denied, rolled_out = dict(register.denied), dict(register.rolled_out)
    if isinstance(stated, AppDenial):
        denied[stated.subject] = stated
    elif isinstance(stated, RollOut):
        rolled_out[stated.platform.value, stated.package] = stated
    else:
        place = (stated.platform.value, stated.package, stated.version)
        if isinstance(stated, AppRelease):
            releases[place] = stated
        else:
            withdrawn[place] = stated
    return AppRegister(releases, withdrawn, denied, rolled_out)


def register_of(rows: Iterable[AppRow]) -> AppRegister:
    """The register that `rows` come to.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    found = AppRegister()
    for row in rows:
        found = with_stated(found, row.stated())
    return found
