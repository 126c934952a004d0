"""The customers that the writer owns.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.1; 14.2.1
"""

from collections.abc import Callable, Iterable

from tallystick.application.customers.model import (
    AccountOwnerRow,
    AliasRow,
    Customer,
    CustomerKind,
    CustomerStatus,
    Profile,
)
from tallystick.application.customers.store import ACCOUNT_OWNER, ALIAS, CUSTOMER, OWNERS_OF
from tallystick.application.turn import Turn
from tallystick.infrastructure.modules.block import wrapped_under
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.infrastructure.modules.sealing import KIND_LENGTH, label_of, open_field, seal_field
from tallystick.infrastructure.store.changes import select_in
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import Decoder, b64url, encode_canonical
from tallystick.kernel.errors import Conflict, NotFound, NotPermitted
from tallystick.kernel.ids import random_id
from tallystick.kernel.model import from_row, replace

_profiles = Decoder(Profile, limit=2048)


class Customers:
    """Opens, finds, suspends and erases customers.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    def __init__(
        self, module: CryptoModule, alias_index: KeyHandle, reader: Reader, *, capacity: int
    ) -> None:
        """Use `module` for subject keys and `alias_index` to hash numbers.

        `whys` say for what reason a customer may not act, or nothing.
        `wrapping` is the generation that wraps subject keys now, `kind` how what they seal begins.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self._module = module
        self._reader = reader
        self._alias_index = alias_index
        self._rows = RowCache(CUSTOMER, Customer, reader, capacity=capacity)
        self._owners = RowCache(ACCOUNT_OWNER, AccountOwnerRow, reader, capacity=capacity)
        self._aliases = RowCache(ALIAS, AliasRow, reader, capacity=capacity)
        self._subjects: dict[str, KeyHandle] = {}
        self._capacity = capacity
        self._nobody = module.generate(Purpose.SUBJECT)
        self.whys: list[Callable[[str], str]] = []
        self.wrapping = wrapped_under(module.export_block(self._nobody))
        self.kind = label_of(self._nobody)[:KIND_LENGTH]

    def open(
        self,
        turn: Turn,
        profile: Profile,
        kind: CustomerKind,
        *,
        tier: int,
        account: str,
        opened_by: str,
    ) -> Customer:
        """A new customer who owns `account` and answers to the number in `profile`.

        Raises Conflict if the number already leads to somebody.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        for number in profile.numbers():
            self.check_free(number)
        aliases = [self._alias_of(number) for number in profile.numbers()]
        subject = self._module.generate(Purpose.SUBJECT)
        customer = Customer(
            id=random_id("cus", self._module.random(16)),
            kind=kind,
            status=CustomerStatus.ACTIVE,
            tier=tier,
            account=account,
            subject=self._module.export_block(subject),
            profile=self._seal(subject, encode_canonical(profile)),
            opened_at=turn.now,
            opened_by=opened_by,
            pin=b"",
            pin_failures=0,
            pin_blocked_until=0,
            activation="",
            devices=0,
        )
        self._subjects[customer.id] = subject
        self._rows.put(customer.id, customer, turn.changes)
        owner = AccountOwnerRow(account=account, customer=customer.id)
        self._owners.add(account, owner, turn.changes)
        for alias in aliases:
            self._aliases.put(alias, AliasRow(alias=alias, customer=customer.id), turn.changes)
        return customer

    def check_free(self, number: str) -> None:
        """Pass if `number` leads to nobody.

        Raises Conflict.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        known = self._aliases.get(self._alias_of(number))
        if known is not None and known.customer:
            raise Conflict("this number already belongs to a customer", remedy="use another number")

    def change_number(self, turn: Turn, customer: Customer, number: str) -> Customer:
        """Let `number` lead to `customer` from now on, and the old number to nobody.

        Raises Conflict if it leads to somebody.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        self.check_free(number)
        profile = self.profile(customer)
        old, new = self._alias_of(profile.msisdn), self._alias_of(number)
        self._aliases.put(old, AliasRow(alias=old, customer=""), turn.changes)
        self._aliases.put(new, AliasRow(alias=new, customer=customer.id), turn.changes)
        changed = encode_canonical(replace(profile, msisdn=number))
        moved = replace(customer, profile=self._seal(self.subject(customer), changed))
        self.save(turn, moved)
        return moved

    def save(self, turn: Turn, customer: Customer) -> None:
        """Keep a changed customer.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self._rows.put(customer.id, customer, turn.changes)

    def get(self, customer: str) -> Customer:
        """The customer with this id.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        row = self._rows.get(customer)
        if row is None:
            raise NotFound("no such customer", remedy="look at the number or id")
        return row

    def owner(self, account: str) -> Customer:
        """The customer who owns `account`.

        Raises NotFound, also for the provider's own accounts.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        row = self._owners.get(account)
        if row is None:
            raise NotFound("no customer has this account")
        return self.get(row.customer)

    def by_alias(self, number: str) -> Customer:
        """The customer whom a telephone number, till number or account id leads to.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if number.startswith("acc_"):
            return self.owner(number)
        row = self._aliases.get(self._alias_of(number))
        if row is None or not row.customer:
            raise NotFound("no customer has this number", remedy="check the number")
        return self.get(row.customer)

    def active(self, customer: Customer, *, asks: bool = False) -> Customer:
        """`customer` if it may take part in a payment.

        Raises NotPermitted otherwise; to a customer who `asks` in person it says why.
        Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
        """
        if customer.status is not CustomerStatus.ACTIVE:
            found = (why(customer.id) for why in self.whys if asks)
            raise NotPermitted(
                f"the customer is {customer.status}",
                because=next(filter(None, found), ""),
                remedy="look at the customer's page for what stops the account",
            )
        return customer

    def payable(self, customer: Customer) -> Customer:
        """`customer` if money may come to them; why not is nobody else's to read.

        Raises NotPermitted otherwise.
        Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.5
        """
        if customer.status is not CustomerStatus.ACTIVE:
            raise NotPermitted(
                f"the payee is {customer.status}", remedy="ask the payee; nothing was paid"
            )
        return customer

    def profile(self, customer: Customer) -> Profile:
        """The personal data of `customer`, in clear.

        Raises NotFound after erasure.
        Source: ISO/TS 12812-2:2017, 14.2.1
        """
        return _profiles.decode(self.open_sealed(customer, customer.profile))

    def seal(self, customer: Customer, octets: bytes) -> bytes:
        """`octets` sealed under the subject key of `customer`.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        return self._seal(self.subject(customer), octets)

    def open_sealed(self, customer: Customer, sealed: bytes) -> bytes:
        """What `seal` sealed.

        Raises NotFound after erasure, NotAuthentic if the bytes were changed.
        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        subject = self.subject(customer)
        return open_field(self._module, (subject,), sealed, b"subject")

    def seal_anew(self, customer: Customer, sealed: bytes) -> bytes:
        """What `seal` sealed, as it is sealed now; empty for somebody who was erased.

        Raises NotAuthentic if the bytes were changed.
        Source: ISO/TS 12812-2:2017, 7.4.2; 14.2.1
        """
        if not customer.subject:
            return b""
        return self.seal(customer, self.open_sealed(customer, sealed))

    def wrap_anew(self, turn: Turn, customer: Customer) -> None:
        """The subject key wrapped and the profile sealed as both are now; the key is the same.

        Nothing for somebody who was erased: what was destroyed does not come back.
        Source: ISO/TS 12812-2:2017, 7.4.2; 14.2.1
        """
        profile = self.seal_anew(customer, customer.profile)
        if profile:
            block = self._module.export_block(self.subject(customer))
            self.save(turn, replace(customer, subject=block, profile=profile))

    def commit_mac(self, customer: Customer) -> Callable[[bytes], bytes]:
        """The keyed hash that salts this customer's commitments in the tally.

        Source: ISO/TS 12812-2:2017, 14.2.2
        """
        subject = self.subject(customer)
        module = self._module
        return lambda message: module.mac(subject, message)

    def commit_mac_of_nobody(self) -> Callable[[bytes], bytes]:
        """A keyed hash that takes as long as a customer's, for whoever is none.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        nobody, module = self._nobody, self._module
        return lambda message: module.mac(nobody, message)

    def subject(self, customer: Customer) -> KeyHandle:
        """The handle of the subject key of `customer`.

        Raises NotFound after erasure.
        Source: ISO/TS 12812-2:2017, 14.2.1
        """
        handle = self._subjects.get(customer.id)
        if handle is None:
            if not customer.subject:
                raise NotFound(
                    "this person was erased", remedy="nothing of them is left to be seen"
                )
            handle = self._module.import_block(customer.subject)
            self._subjects[customer.id] = handle
        return handle

    def erase(self, turn: Turn, customer: Customer) -> None:
        """Destroy the subject key and all that is personal; the proofs stay valid.

        Source: ISO/TS 12812-2:2017, 14.2.1
        """
        for number in self.profile(customer).numbers():
            alias = self._alias_of(number)
            self._aliases.put(alias, AliasRow(alias=alias, customer=""), turn.changes)
        erased = replace(customer, status=CustomerStatus.ERASED, subject=b"", profile=b"", pin=b"")
        self.save(turn, erased)
        handle = self._subjects.pop(customer.id, None)
        if handle is not None:
            self._module.destroy(handle)

    def prefetch_owners(self, accounts: Iterable[str]) -> None:
        """Bring the owners of `accounts` into memory with at most two statements.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        listed = list(accounts)
        missing = self._owners.missing(listed)
        for account, *row in select_in(self._reader, OWNERS_OF, missing):
            customer = from_row(Customer, tuple(row))
            self._owners.learn(account, AccountOwnerRow(account=account, customer=customer.id))
            self._rows.learn(customer.id, customer)
        for account in missing:
            self._owners.learn(account, None)
        owners = (self._owners.get(account) for account in listed)
        self._rows.prefetch([owner.customer for owner in owners if owner is not None])

    def trim(self) -> None:
        """Forget what is over capacity, also the handles of subject keys.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for cache in (self._rows, self._owners, self._aliases):
            cache.trim()
        surplus = len(self._subjects) - self._capacity
        if surplus > 0:
            for customer in list(self._subjects)[: surplus + self._capacity // 8]:
                self._module.destroy(self._subjects.pop(customer))

    def let_go(self) -> None:
        """Let the subject keys go that are loaded here; each comes in again when it is used.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        while self._subjects:
            self._module.destroy(self._subjects.popitem()[1])

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for cache in (self._rows, self._owners, self._aliases):
            cache.reset()

    def _alias_of(self, number: str) -> str:
        return b64url(self._module.mac(self._alias_index, number.encode()))

    def _seal(self, subject: KeyHandle, octets: bytes) -> bytes:
        return seal_field(self._module, subject, octets, b"subject")
