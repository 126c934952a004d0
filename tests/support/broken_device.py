"""The SDK with one defect planted: what the conformance kit must find.

python -m tests.support.broken_device NAME
"""

import functools
import sys
from dataclasses import replace

import simulators.driven as driving
from simulators.driven import Driven

import tallystick.client.approvals as approvals
import tallystick.client.evidence as evidence
import tallystick.client.provider as providers
import tallystick.client.session as sessions
from tallystick.client.keystore import SoftwareKeystore
from tallystick.client.session import ClientSession, Exchanged
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.infrastructure.envelope import schedule
from tallystick.infrastructure.tally.verify import VerifiedReceipt
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import NotPermitted, Unavailable
from tallystick.kernel.money import Money
from tallystick.protocol.keylist import KeyList, ListedPurpose
from tallystick.protocol.payments import PaymentKind


def believes_any_list():
    def believed(jws, *_):
        return Decoder(KeyList).decode(split_compact(jws)[1])

    providers.verify_key_list = believed


def forgets_the_version():
    right = providers.verify_key_list
    providers.verify_key_list = lambda jws, root, now, _: right(jws, root, now, 0)


def offers_less_when_refused():
    right = sessions.Peer._greeted

    def greeted(self, purpose, keys):
        try:
            return right(self, purpose, keys)
        except NotPermitted:
            return right(replace(self, suites=self.suites[1:], met=None), purpose, keys)

    sessions.Peer._greeted = greeted


def forgets_the_hybrid():
    SoftwareKeystore.met_hybrid = lambda _: False


class _Believing:
    def verify(self, signature, message):
        """Whatever it is."""


def opens_nothing_after_a_refusal():
    right, refused = Driven.open, []

    def opened(self, asked):
        if refused:
            return {"session": "the one that it had"}
        try:
            return right(self, asked)
        except NotPermitted:
            refused.append(True)
            raise

    Driven.open = opened


def warns_of_nothing():
    approvals.warnings_of = lambda *_: ((), ())


def skips_the_signature():
    right = providers.Provider.keys

    def keys(self, purpose, *, fresh=False):
        found = right(self, purpose, fresh=fresh)
        signing = purpose is ListedPurpose.SESSION_SIGNATURE
        return dict.fromkeys(found, _Believing()) if signing else found

    providers.Provider.keys = keys


def skips_the_mac():
    schedule.check_mac = lambda *_: None


def forgets_the_proposal():
    right = SoftwareKeystore.store_renewal_pairs

    def store(self, pairs):
        if len(pairs) == 1:
            right(self, pairs)

    SoftwareKeystore.store_renewal_pairs = store


def believes_what_is_clear():
    def once(self, live, operation, path, body):
        reply, sequence = self._post(live, operation, path, body)
        if not reply.sealed and reply.status == 200:
            return Exchanged(200, reply.body)
        if not reply.sealed:
            raise sessions.refusal(reply)
        return Exchanged(
            reply.status,
            sessions.open_reply(live.keys, operation, sequence, reply.status, reply.body),
        )

    ClientSession._once = once
    VerifiedReceipt.of = lambda self, *_: self


def ignores_the_status():
    right = ClientSession._post

    def post(self, live, operation, path, body):
        reply, sequence = right(self, live, operation, path, body)
        return replace(reply, status=200 if reply.status == 202 else reply.status), sequence

    ClientSession._post = post


def orders_anew():
    def pay(self, asked):
        for _ in range(3):
            amount = Money(asked["amount_minor"], asked["currency"])
            quoted = self.wallet.quote(PaymentKind.P2P, asked["payee"], amount)
            self.order = self.wallet.consent(quoted)
            try:
                return self._paid(self.wallet.place(self.order, attempts=1))
            except Unavailable:
                continue
        raise Unavailable("nobody answers")

    Driven.pay = pay


def skips_the_history():
    right = providers.Provider.wallet
    providers.Provider.wallet = functools.partialmethod(right, consistency=False)


def believes_receipts():
    driving.verify_receipt = lambda *_, **__: None


def draws_no_lots():
    right = driving.Provider
    driving.Provider = lambda *given, **named: right(
        *given, **{**named, "entropy": lambda count: b"7" * count}
    )


def asks_the_store_with_another_hash():
    driving.keys_challenge = lambda told, *_: told
    evidence.proof_challenge = lambda told, _: told


def enrols_without_the_store():
    def silent(self, told):
        raise Unavailable("not asked")

    Driven._asked = silent


DEFECTS = {
    one.__name__: one
    for one in (
        believes_any_list,
        forgets_the_version,
        offers_less_when_refused,
        forgets_the_hybrid,
        opens_nothing_after_a_refusal,
        warns_of_nothing,
        skips_the_signature,
        skips_the_mac,
        forgets_the_proposal,
        believes_what_is_clear,
        ignores_the_status,
        orders_anew,
        skips_the_history,
        believes_receipts,
        draws_no_lots,
        asks_the_store_with_another_hash,
        enrols_without_the_store,
    )
}

if __name__ == "__main__":
    DEFECTS[sys.argv[1]]()
    driving.main()
