"""What proves an order: its committed fields, who may open which, and the evidence that is kept.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2; 14.2.2
"""

from tallystick.application.customers import Customer, Customers
from tallystick.application.incentives import Commission, Commissions
from tallystick.application.payments.model import Evidence, OrderRow, read_evidence
from tallystick.infrastructure.tally.leaf import Commitments
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import NotFound
from tallystick.protocol.receipt import Disclosure, Scalar

PAYEE_SEES = frozenset({"payee", "payee_name", "amount_minor"})
PAYER_SEES = PAYEE_SEES | {"payer", "fee_minor", "original", "consent"}
_COMMISSION = "commission_minor"


def seen_by(row: OrderRow, account: str, commission: Commission | None) -> frozenset[str]:
    """The fields that the owner of `account` sees; what an agent earned sees that agent alone.

    Source: ISO/TS 12812-2:2017, 3.16; 7.3.3
    """
    fields = PAYER_SEES if account == row.payer else PAYEE_SEES
    earned = commission is not None and commission.account == account
    return fields | {_COMMISSION} if earned else fields


def public_fields(row: OrderRow) -> dict[str, Scalar]:
    """What the tally says of an order in clear: nothing personal, nothing that can be guessed.

    Source: ISO/TS 12812-2:2017, 7.3.3; 14.2.2
    """
    public: dict[str, Scalar] = {
        "currency": row.currency,
        "grade": row.grade,
        "order": row.id,
        "payment": row.kind,
        "row": row.row,
    }
    if row.error:
        public["refused"] = row.error
        public["because"] = row.because or row.detail
    return public


class Proofs:
    """Commits an order's fields under both parties' keys, and opens them for each.

    Source: ISO/TS 12812-2:2017, 3.16; 14.2.2
    """

    def __init__(self, customers: Customers, commissions: Commissions | None = None) -> None:
        """Prove orders of `customers`; `commissions` are what orders paid to agents.

        Source: ISO/TS 12812-2:2017, 3.16
        """
        self._customers = customers
        self._commissions = commissions

    def commitments(
        self,
        row: OrderRow,
        payer: Customer,
        payee: Customer | None,
        payee_name: str,
        facts: str | None = None,
    ) -> Commitments:
        """The committed fields of an order that both parties may later open.

        Source: ISO/TS 12812-2:2017, 14.2.2
        """
        commitments = Commitments(row.id)
        payer_mac = self._customers.commit_mac(payer)
        fields: dict[str, Scalar] = {
            "payer": row.payer,
            "amount_minor": row.amount_minor,
            "fee_minor": row.fee_minor,
            "payee_name": payee_name,
            "consent": b64url(row.body_hash),
        }
        if row.original:
            fields["original"] = row.original
        if facts is not None:
            fields["facts"] = facts
        commitments.commit(payer_mac, fields)
        payee_mac = payer_mac if payee is None else self._customers.commit_mac(payee)
        commitments.commit(payee_mac, {"payee": row.payee})
        earned = self._commission(row)
        if earned is not None:
            agent_mac = payer_mac if earned.account == row.payer else payee_mac
            commitments.commit(agent_mac, {_COMMISSION: earned.amount_minor})
        return commitments

    def disclosures(self, row: OrderRow, account: str) -> tuple[Disclosure, ...]:
        """What opens the fields of an old order for the owner of `account`: payer or payee.

        Raises NotFound for anybody else.
        Source: ISO/TS 12812-2:2017, 3.16; 7.3.3
        """
        if account not in {row.payer, row.payee}:
            raise NotFound("no such order of yours", remedy="look at your list of payments")
        payer = self._customers.owner(row.payer)
        payee: Customer | None
        try:
            payee = self._customers.owner(row.payee)
        except NotFound:
            payee = None
        consent = self.evidence(row).given()
        commitments = self.commitments(row, payer, payee, consent.payee_name)
        return commitments.disclosures(seen_by(row, account, self._commission(row)))

    def _commission(self, row: OrderRow) -> Commission | None:
        return None if self._commissions is None else self._commissions.of(row.id, row.kind)

    def evidence(self, row: OrderRow) -> Evidence:
        """The consent as given and the facts of the decision, in clear.

        Raises NotFound once the payer was erased.
        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        payer = self._customers.owner(row.payer)
        return read_evidence(self._customers.open_sealed(payer, row.evidence))
