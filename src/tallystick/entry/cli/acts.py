"""The fields of operators' acts as options of the command line.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

import inspect
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from tallystick.application.operators.service import code_hash
from tallystick.entry.setup import one_time_code
from tallystick.kernel.codec import from_plain
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Wire
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret

_URL = "http://127.0.0.1:8480 --key-file ann.key"

ACT_EXAMPLES = {
    "activate-policy": f"activate-policy {_URL} --envelope signed.json",
    "add-webhook": f"add-webhook {_URL} --deliver-to https://core.example/events --kinds payment",
    "begin-approval": f"begin-approval {_URL} --payer +254700000001 --kind merchant --payee 5544"
    ' --amount 950.00 --currency KES --asked-by "care desk"',
    "bind-passkey": f"bind-passkey {_URL}",
    "break-glass": f'break-glass {_URL} --minutes 30 --because "thefts, nobody else is here"',
    "cancel-approval": f'cancel-approval {_URL} --approval apr_... --because "asked by phone"',
    "change-tier": f"change-tier {_URL} --number +254700000001 --tier 2 --evidence BASE64URL"
    ' --because "passport seen"',
    "clear-risk": f'clear-risk {_URL} --customer cus_... --because "identified anew"',
    "close-day": f"close-day {_URL} --day 2026-01-31",
    "end-sessions": f'end-sessions {_URL} --customer cus_... --because "phone lost"',
    "enrol-authenticator": f"enrol-authenticator {_URL} --number +254700000001 --kind totp"
    " --mechanism hmac-sha256 --sealed-to key_... --sealed ...",
    "decline-act": f'decline-act {_URL} --act act_... --because "not what was agreed"',
    "rehearse-act": f"rehearse-act {_URL} --act act_...",
    "cover-commission": f"cover-commission {_URL} --amount 500.00 --currency KES"
    " --bank-reference b-4712",
    "enrol-operator": f"enrol-operator {_URL} --role care-desk",
    "erase-subject": f'erase-subject {_URL} --customer cus_... --because "asked in writing"',
    "fund-account": f"fund-account {_URL} --number +254700000001 --amount 10000.00 --currency KES"
    " --bank-reference b-4711",
    "issue-activation": f"issue-activation {_URL} --number +254700000001",
    "issue-workload": f'issue-workload {_URL} --label "switch" --scope evaluate-policy --way key'
    " --verifier BASE64URL --days 90",
    "lift-tightening": f'lift-tightening {_URL} --entry record-in-doubt --because "mended"',
    "open-customer": f'open-customer {_URL} --name "Jane W" --msisdn +254700000001 --kind person'
    " --tier 1",
    "open-recovery": f"open-recovery {_URL} --number +254700000001 --kind lost-phone"
    ' --evidence BASE64URL --because "came with papers"',
    "finish-recovery": f"finish-recovery {_URL} --recovery rcv_...",
    "cancel-recovery": f'cancel-recovery {_URL} --recovery rcv_... --because "not the owner"',
    "rest-account": f'rest-account {_URL} --number +254700000001 --because "unused for a year"',
    "freeze-account": f"freeze-account {_URL} --number +254700000001 --kind death"
    ' --evidence BASE64URL --because "certificate 77" --operators opr_...',
    "view-frozen": f"view-frozen {_URL} --customer cus_...",
    "release-account": f"release-account {_URL} --customer cus_... --evidence BASE64URL"
    ' --because "heirs found"',
    "suspend-service": f"suspend-service {_URL} --kind all --channel ussd"
    ' --because "the menus are being repaired"',
    "resume-service": f'resume-service {_URL} --kind all --channel ussd --because "repaired"',
    "suspend-operator": f'suspend-operator {_URL} --operator opr_... --because "laptop stolen"',
    "resume-operator": f'resume-operator {_URL} --operator opr_... --because "laptop found"',
    "remove-passkey": f'remove-passkey {_URL} --credential BASE64URL --because "phone lost"',
    "remove-operator": f'remove-operator {_URL} --operator opr_... --because "left the firm"',
    "suspend-customer": f'suspend-customer {_URL} --number +254700000001 --because "fraud"',
    "resume-customer": f'resume-customer {_URL} --number +254700000001 --because "identified anew"',
    "place-agent": f"place-agent {_URL} --number 600200 --zones nairobi-3"
    " --trained-until 2027-01-31T00:00:00Z",
    "suspend-key": f'suspend-key {_URL} --key key_... --because "its machine was opened"',
    "resume-key": f'resume-key {_URL} --key key_... --because "the seals were whole"',
    "retire-key": f'retire-key {_URL} --key key_... --because "its successor is in use"',
    "declare-compromise": f'declare-compromise {_URL} --key key_... --because "found in a mail"',
    "destroy-key": f'destroy-key {_URL} --key key_... --because "nothing is left under it"',
    "record-custody": f"record-custody {_URL} --device hsm-1 --what received --kind module"
    " --serial 4711 --place vault --seal A-100 --inspect-days 180"
    ' --custodians ann --custodians bob --because "came from its maker"',
    "open-surrogate-domain": f"open-surrogate-domain {_URL} --domain merchants --kind pan"
    ' --way random --purposes settlement:600 --purposes dispute:20 --because "in the contract"',
    "step-surrogate-domain": f"step-surrogate-domain {_URL} --domain merchants --turn-to new-keys"
    ' --because "a year has passed"',
    "allow-detokenising": f"allow-detokenising {_URL} --domain merchants --purpose settlement"
    ' --workload wkl_... --most 5000 --minutes 60 --because "the file of March"',
    "remove-device": f"remove-device {_URL} --device dev_... --how steal"
    ' --because "robbed, as the police report says"',
    "report-fraud": f'report-fraud {_URL} --order ord_... --because "not by the customer"',
    "resume-device": f'resume-device {_URL} --device dev_... --because "found again"',
    "reverse-payment": f'reverse-payment {_URL} --order ord_... --because "sent twice"',
    "review-emergency": f'review-emergency {_URL} --emergency emg_... --found "as it had to be"',
    "revoke-workload": f'revoke-workload {_URL} --workload wkl_... --because "left the partner"',
    "revoke-approver": f"revoke-approver {_URL} --number 5544 --customer cus_..."
    ' --because "left the firm"',
    "set-mandate": f"set-mandate {_URL} --number 5544 --bands 1000000:1:cus_...,cus_..."
    ' --bands 50000000:2:cus_...,cus_... --initiator excluded --because "board resolution"',
    "set-incentive": f"set-incentive {_URL} --ladder agents --subject cus_... --step 1"
    ' --because "trained again"',
    "shadow-policy": f"shadow-policy {_URL} --envelope signed.json",
    "suspend-device": f'suspend-device {_URL} --device dev_... --because "reported stolen"',
    "unlock-customer": f'unlock-customer {_URL} --number +254700000001 --because "identified anew"',
    "view-sessions": f"view-sessions {_URL} --customer cus_...",
}
"""How each act is typed."""

_HELP = {
    "name": "Name of the customer.",
    "msisdn": "Telephone number, with plus.",
    "kind": "person, agent or merchant; of an authenticator: hotp, totp or ocra;"
    " of a recovery: lost-phone, new-phone, number-change or dormant; of a freeze: death or"
    " legal-order; of a device: module, software-module, pin-pad, key-loader or secure-element;"
    " of values: pan, account or phone; of a service: all, p2p, merchant, cash-in, cash-out, refund"
    " or salary.",
    "channel": "Of a service: all, app, web or ussd.",
    "tier": "Identification tier of the policy.",
    "till": "Till number of a merchant or agent.",
    "number": "Telephone or till number.",
    "amount_minor": "Amount, such as 1250.75.",
    "currency": "ISO 4217 code.",
    "bank_reference": "Reference of the money that arrived at the bank.",
    "order": "Id of the order.",
    "how": "lose, steal, hand-on or deactivate.",
    "credential": "Id of the passkey, as the desk shows it.",
    "operator": "Id of the operator.",
    "because": "The reason, as it will be read.",
    "device": "Id of the device.",
    "customer": "Id of the customer.",
    "envelope": "The policy file that the officers signed.",
    "role": "Role of the operator to invite; the code is made here.",
    "url": "Where events are posted.",
    "kinds": "Kind of event; say it several times.",
    "day": "The day, YYYY-MM-DD.",
    "ladder": "Id of the incentive in the policy.",
    "subject": "Agent (customer id), device trust or vendor.",
    "step": "Step to put it on; 0 is the lowest.",
    "entry": "Id of the tightening in the policy.",
    "mechanism": "hmac-sha1, hmac-sha256 or hmac-sha512.",
    "sealed_to": "Id of the transport key.",
    "sealed": "The seed, sealed to that key.",
    "digits": "Digits of a code, 6 to 10.",
    "step_s": "Seconds of a time step.",
    "counter": "The first counter whose code was not used.",
    "suite": "OCRA suite.",
    "act": "Id of the act that waits.",
    "minutes": "For how long, in minutes.",
    "emergency": "Id of the emergency.",
    "found": "What was found, as it will be read.",
    "label": "What colleagues call the program.",
    "scope": "What it may ask: evaluate-policy, begin-approval or payment-cryptography.",
    "way": "How a program proves itself: secret, key or signature-v4; how surrogates are made:"
    " random or ff1.",
    "verifier": "SHA-256 of its secret, or its public key (P-256, 65 octets), in base64url.",
    "days": "For how many days.",
    "workload": "Id of the program.",
    "payer": "Who is asked: telephone or till number.",
    "payee": "Who is paid: telephone or till number.",
    "asked_by": "Who asks, as the customer will read it.",
    "devices": "Id of a device that may approve; say it several times, or leave it out for all.",
    "approval": "Id of the request.",
    "bands": "Up to so many minor units, so many of these: AMOUNT:NEEDED:CUSTOMER,...; repeat.",
    "initiator": "Whether who began an order may approve it: allowed or excluded.",
    "recovery": "Id of the recovery.",
    "evidence": "SHA-256 of the papers that were seen, in base64url.",
    "new_number": "The number that replaces the old one.",
    "operators": "Operator who may look at the account; say it several times.",
    "zones": "Cell or zone where the agent assists; say it several times.",
    "trained_until": "Instant at which the agent's training ends, UTC.",
    "key": "Id of the key.",
    "what": "What happened.",
    "custodians": "One who was there; say it twice or more often.",
    "place": "Where it is now.",
    "seal": "Number of the seal on it.",
    "serial": "Number on the device.",
    "inspect_days": "How often it is inspected, in days.",
    "domain": "Name of the domain of surrogates.",
    "purposes": "What for values come back, how many an hour: NAME:NUMBER; may be repeated.",
    "purpose": "What for values come back, as agreed for the domain.",
    "keeps": "How many last digits of a card's number its surrogate keeps: 0 or 4.",
    "turn_to": "new-keys, no-old-keys or destroyed.",
    "most": "How many values at most.",
    "until": "Instant until which it stays lifted; until the next version if left out.",
}
_FIXED: dict[str, dict[str, bool | str]] = {
    "open-customer": {"zone": ""},
    "suspend-device": {"suspend": True},
    "resume-device": {"suspend": False},
}
_MADE_HERE = "code_hash"
_FIELD = "field_"
_PATH_OF = re.compile(r"at `\$\.([a-z_]+)")


def act_parameters(name: str, schema: type[Wire]) -> list[click.Parameter]:
    """An option for each field of the act `name` that a person fills in.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    fixed = _FIXED.get(name, {})
    hints = get_type_hints(schema)
    given = inspect.signature(schema).parameters
    return [
        _option(field, hints[field], required=parameter.default is inspect.Parameter.empty)
        for field, parameter in given.items()
        if field not in fixed and field != _MADE_HERE
    ]


def _option(field: str, hint: Any, *, required: bool) -> click.Option:
    kind: Any = None
    if field == "envelope":
        kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    elif hint is int and field != "amount_minor":
        kind = int
    elif get_origin(hint) is Literal:
        kind = click.Choice(get_args(hint))
    return click.Option(
        [f"--{_spelled(field)}", _FIELD + field],
        required=required,
        type=kind,
        multiple=hint == tuple[str, ...],
        help=_HELP[field],
    )


def body_of(
    name: str, schema: type[Wire], given: dict[str, Any]
) -> tuple[Wire, Secret[str] | None]:
    """The body of the act out of the options, and the one-time code where the act makes one.

    Raises Malformed with the first field that does not fit.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    plain: dict[str, Any] = dict(_FIXED.get(name, {}))
    for parameter, value in given.items():
        if parameter.startswith(_FIELD) and value is not None:
            plain[parameter.removeprefix(_FIELD)] = value
    if "amount_minor" in plain:
        amount = Money.parse(plain["amount_minor"], plain["currency"])
        plain["amount_minor"] = amount.minor
    if "envelope" in plain:
        plain["envelope"] = plain["envelope"].read_text(encoding="utf-8")
    for several in ("kinds", "operators", "zones", "custodians", "purposes"):
        if several in plain:
            plain[several] = list(plain[several])
    code = None
    if _MADE_HERE in inspect.signature(schema).parameters:
        code = one_time_code()
        plain[_MADE_HERE] = code_hash(code.reveal())
    try:
        return from_plain(plain, schema), code
    except Malformed as error:
        field = _PATH_OF.search(error.detail)
        if field is None or field[1] not in _HELP:
            raise
        raise Malformed(
            f"the value of --{_spelled(field[1])} does not fit", remedy=_HELP[field[1]]
        ) from error


def _spelled(field: str) -> str:
    """The option that stands for a field of an act."""
    return {"amount_minor": "amount", "url": "deliver-to"}.get(field, field.replace("_", "-"))
