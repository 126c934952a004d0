"""The protection card: what protects a customer, read off the policy in force.

Nothing of it is written by hand, so it cannot say what the service does not do.

Source: ISO/TS 12812-2:2017, 7.3.6; 6.1
"""

from collections.abc import Callable, Mapping
from typing import Final

from tallystick.kernel.money import Money
from tallystick.kernel.time import HOUR_MS, MINUTE_MS
from tallystick.process.policy import CompiledPolicy
from tallystick.process.policy.facts import FOREVER, Operation, Outcome
from tallystick.process.policy.language.model import Limit, Row
from tallystick.protocol.channels import Language

_PAYS: Final = Operation.PAY.value

_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    Language.ENGLISH: {
        "balance": "Your account keeps at most {amount}.",
        "payment": "One payment is at most {amount} ({id}).",
        "window": "Within {hours} h you pay at most {amount} ({id}).",
        "count": "Within {hours} h you make at most {count} payments ({id}).",
        "tries": "After {count} wrong tries in a row you wait {minutes} min, then ever longer.",
        "held": "A payment waits {hours} h: {id}.",
        "refused": "A payment is refused: {id}.",
        "recovery": "A recovery takes at least {hours} h, and every old channel may stop it.",
        "lowered": "While it runs and {hours} h after, one payment is at most {amount}.",
        "terms": "You pay once you accepted the terms, version {count}.",
    },
    Language.FRENCH: {
        "balance": "Votre compte garde au plus {amount}.",
        "payment": "Un paiement est d'au plus {amount} ({id}).",
        "window": "En {hours} h vous payez au plus {amount} ({id}).",
        "count": "En {hours} h vous faites au plus {count} paiements ({id}).",
        "tries": "Après {count} essais faux de suite vous attendez {minutes} min; puis toujours"
        " plus.",
        "held": "Un paiement attend {hours} h: {id}.",
        "refused": "Un paiement est refusé: {id}.",
        "recovery": "Une récupération prend au moins {hours} h, et tout ancien canal l'arrête.",
        "lowered": "Pendant ce temps et {hours} h après, un paiement est d'au plus {amount}.",
        "terms": "Vous payez une fois les conditions acceptées, version {count}.",
    },
    Language.SWAHILI: {
        "balance": "Akaunti yako huweka si zaidi ya {amount}.",
        "payment": "Malipo moja si zaidi ya {amount} ({id}).",
        "window": "Ndani ya saa {hours} unalipa si zaidi ya {amount} ({id}).",
        "count": "Ndani ya saa {hours} unafanya malipo yasiyozidi {count} ({id}).",
        "tries": "Baada ya makosa {count} mfululizo unasubiri dakika {minutes}; kisha zaidi.",
        "held": "Malipo husubiri saa {hours}: {id}.",
        "refused": "Malipo hukataliwa: {id}.",
        "recovery": "Kurejesha huchukua angalau saa {hours}, na kila njia ya zamani hukusimamisha.",
        "lowered": "Wakati huo na saa {hours} baadaye, malipo moja si zaidi ya {amount}.",
        "terms": "Unalipa ukishakubali masharti, toleo {count}.",
    },
}
"""What a line says; `id` is the policy's own name of the limit or row, `because` follows it."""


def protection_card(
    policy: CompiledPolicy, tier: int, channel: str, language: Language
) -> tuple[str, ...]:
    """What protects a customer of `tier` who pays through `channel`, a line each.

    Reasons are the policy's own, in the language that it is written in.
    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    says, data = _WORDS[language], policy.policy
    currency = data.header.currency

    def money(minor: int) -> str:
        return str(Money(minor, currency))

    lines: list[str] = []
    ceiling = policy.ceiling_minor(tier)
    if ceiling != FOREVER:
        lines.append(says["balance"].format(amount=money(ceiling)))
    for limit in data.limits:
        if _of(limit, tier, channel):
            lines += _limit_lines(limit, says, money)
    rule = data.attempts
    minutes = rule.block_ms // MINUTE_MS
    lines.append(says["tries"].format(count=rule.limit, minutes=minutes))
    for row in data.decisions:
        if _of(row, tier, channel) and _pays(row) and row.bounds:
            lines += _row_line(row, says)
    recovery = data.recovery
    lines.append(says["recovery"].format(hours=recovery.cooling_ms // HOUR_MS))
    if recovery.per_payment_minor != FOREVER:
        amount = money(recovery.per_payment_minor)
        lines.append(says["lowered"].format(hours=recovery.after_ms // HOUR_MS, amount=amount))
    if data.education.terms:
        lines.append(says["terms"].format(count=data.education.terms))
    return tuple(lines)


def _limit_lines(limit: Limit, says: Mapping[str, str], money: Callable[[int], str]) -> list[str]:
    lines: list[str] = []
    name = f"{limit.id}: {limit.because}"
    if limit.per_payment_minor != FOREVER:
        lines.append(says["payment"].format(amount=money(limit.per_payment_minor), id=name))
    for window in limit.windows:
        hours = window.window_ms // HOUR_MS
        if window.max_amount != FOREVER:
            amount = money(window.max_amount)
            lines.append(says["window"].format(hours=hours, amount=amount, id=limit.id))
        if window.max_count != FOREVER:
            lines.append(says["count"].format(hours=hours, count=window.max_count, id=limit.id))
    return lines


def _row_line(row: Row, says: Mapping[str, str]) -> list[str]:
    name = f"{row.id}: {row.because}"
    if row.outcome is Outcome.DELAY:
        return [says["held"].format(hours=row.delay_ms // HOUR_MS, id=name)]
    return [says["refused"].format(id=name)] if row.outcome is Outcome.DENY else []


def _of(one: Limit | Row, tier: int, channel: str) -> bool:
    """Whether `one` can touch somebody of this tier and channel, whatever else they do."""
    mine: dict[str, str | int] = {"tier": tier, "channel": channel}
    return all(words.field not in mine or mine[words.field] in words.words for words in one.words)


def _pays(row: Row) -> bool:
    return any(words.field == "operation" and _PAYS in words.words for words in row.words)
