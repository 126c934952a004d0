"""Who is in the room of a ceremony, and how each of them is asked and shown something alone.

Nothing that is asked or shown here is written anywhere.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.digest import equal, sha256
from tallystick.infrastructure.modules.entropy import Entropy
from tallystick.infrastructure.modules.master import MasterKey, keeper_of, opened_by
from tallystick.infrastructure.modules.opening import Custodians, Opener, Passphrase, open_master
from tallystick.infrastructure.modules.shamir import Share, read_share, write_share
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock
from tallystick.process.ceremonies import Plan, Role

TRIES: Final = 3
"""How often a person may mistype before the step begins anew."""

_HELD = TypeVar("_HELD")


class Speaking(Protocol):
    """One person at a time, unseen by the others.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    def ask(self, name: str, what: str) -> Secret[str]:
        """What the person called `name` enters for `what`; raises Unavailable if nobody is there.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        ...

    def show(self, name: str, what: str, text: Secret[str]) -> None:
        """Let the person called `name`, and nobody else, read `text`, and take it away again.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        ...

    def tell(self, text: str) -> None:
        """Say to everyone what is public.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        ...


@dataclass(frozen=True, slots=True)
class Room:
    """What a step works with: the provider's folder, the plan, the people, time and random bytes.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    folder: ProviderFolder
    plan: Plan
    speaking: Speaking
    clock: Clock
    draw: Entropy

    @property
    def master_of_ceremonies(self) -> str:
        """Who leads.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.plan.having(Role.MASTER)[0].name

    @property
    def custodians(self) -> tuple[str, ...]:
        """Who holds shares or components, in the plan's order.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return tuple(one.name for one in self.plan.having(Role.CUSTODIAN))

    def entered(self, name: str, what: str, take: Callable[[str], _HELD]) -> _HELD:
        """What `take` makes of what `name` enters; a mistake may be made twice.

        Raises what `take` raises the third time, and what `ask` raises.
        Source: ISO 11568
        """
        for _ in range(TRIES - 1):
            try:
                return take(self.speaking.ask(name, what).reveal())
            except (Malformed, NotAuthentic) as error:
                self.speaking.tell(f"{name}: {error.detail}; once more")
        return take(self.speaking.ask(name, what).reveal())

    def opened(self) -> MasterKey:
        """The master key in force, opened by those who have what it takes.

        Raises NotPermitted where a key service opens it, NotAuthentic, and Conflict for too few.
        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        file = self.folder.master_file.read_bytes()
        if keeper_of(file):
            raise NotPermitted(
                "a key service opens the master key, and has nothing to enter",
                remedy="seal it under a secret before: tallystick keys reseal",
            )
        way, leader = opened_by(file), self.master_of_ceremonies
        if way == "shamir-gf256":
            return self.opened_by_shares(file, "share of the master key", self.custodians)

        def take(text: str) -> MasterKey:
            typed = way == "argon2id"
            opener: Opener = Passphrase(Secret(text)) if typed else Secret(text.encode())
            return open_master(file, opener, profile=self.plan.profile)

        what = "passphrase" if way == "argon2id" else "secret"
        return self.entered(leader, f"{what} of the master key", take)

    def opened_by_shares(self, file: bytes, what: str, names: Iterable[str]) -> MasterKey:
        """The master key in `file`, opened by as many of `names` as it takes.

        Somebody without a share enters nothing. Raises NotAuthentic, and Conflict for too few.
        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        return open_master(file, Custodians(self.shares_of(what, names)), profile=self.plan.profile)

    def shares_of(self, what: str, names: Iterable[str]) -> tuple[Share, ...]:
        """Shares of one set, from as many of `names` as it takes.

        Raises Conflict for a share that somebody entered before, NotAuthentic for one of another
        set.
        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        found: list[Share] = []
        for name in names:
            share = self.entered(name, what, lambda text: read_share(text) if text else None)
            if share is None:
                continue
            if any(one.number == share.number for one in found):
                raise Conflict(
                    "one share was entered by two people", because="split knowledge",
                    remedy="let each custodian enter the share that was handed to them",
                )  # fmt: skip
            if found and share.set_id != found[0].set_id:
                raise NotAuthentic(
                    "the shares are not of one set", remedy="use shares of one ceremony"
                )
            found.append(share)
            if len(found) == share.threshold:
                break
        return tuple(found)

    def hand_out(self, parts: tuple[Share, ...]) -> dict[str, str]:
        """Show each custodian a share and have it entered again; gives their check values.

        Raises NotAuthentic for somebody who does not enter what was shown.
        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        values: dict[str, str] = {}
        for name, share in zip(self.custodians, parts, strict=True):
            self.speaking.show(name, "your share, to write down", write_share(share))

            def again(text: str, share: Share = share) -> str:
                if not equal(_octets(read_share(text)), _octets(share)):
                    raise NotAuthentic(
                        "this is not the share that was shown", remedy="compare with the paper"
                    )
                return check_value(share)

            values[name] = self.entered(name, "your share again", again)
        return values


def check_value(share: Share) -> str:
    """Three bytes in hex of a digest of a share: whether a paper is this one, and no more.

    Source: ISO 11568
    """
    return sha256(b"tallystick share check v1" + _octets(share))[:3].hex().upper()


def _octets(share: Share) -> bytes:
    return bytes((share.threshold, share.number)) + share.set_id + share.octets
