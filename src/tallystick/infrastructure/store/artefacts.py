"""How many things of each kind the store has that some mechanism protects, and by which.

A column is grouped by its first octets, which is where its form says what it is; no row leaves the
database whole but the wrapped keys, of which only the heads are read.

Source: ISO/TS 12812-2:2017, 7.4.2; C
"""

from typing import Final, LiteralString

from tallystick.infrastructure.store.database import Connection
from tallystick.kernel.model import Record

_SEALED: Final = b"TKS1"
_PIN: Final = b"TKP1"
SUBJECT_KEYS: Final = "subject keys"
SIM_KEYS: Final = "keys of SIMs"

_COLUMNS: Final[tuple[tuple[str, str, LiteralString, bytes], ...]] = (
    ("customer", "profiles", ("SELECT CASE WHEN substr(profile, 1, 4) = ? THEN substr(profile, 1,"
     " 13) ELSE ? END AS head, count(*) FROM customer WHERE length(profile) > 0 GROUP BY 1"),
     _SEALED),
    ("customer", "PIN verifiers", ("SELECT CASE WHEN substr(pin, 1, 4) = ? THEN substr(pin, 1, 17)"
     " ELSE ? END AS head, count(*) FROM customer WHERE length(pin) > 0 GROUP BY 1"), _PIN),
    ("payment_order", "consents", ("SELECT CASE WHEN substr(evidence, 1, 4) = ? THEN"
     " substr(evidence, 1, 13) ELSE ? END AS head, count(*) FROM payment_order"
     " WHERE length(evidence) > 0 GROUP BY 1"), _SEALED),
    ("approval", "approvals", ("SELECT CASE WHEN substr(sealed, 1, 4) = ? THEN substr(sealed, 1,"
     " 13) ELSE ? END AS head, count(*) FROM approval WHERE length(sealed) > 0 GROUP BY 1"),
     _SEALED),
    ("approval_signature", "approvers' signatures", ("SELECT CASE WHEN substr(jws, 1, 4) = ? THEN"
     " substr(jws, 1, 13) ELSE ? END AS head, count(*) FROM approval_signature"
     " WHERE length(jws) > 0 GROUP BY 1"), _SEALED),
    ("recovery", "numbers of recoveries", ("SELECT CASE WHEN substr(numbers, 1, 4) = ? THEN"
     " substr(numbers, 1, 13) ELSE ? END AS head, count(*) FROM recovery"
     " WHERE length(numbers) > 0 GROUP BY 1"), _SEALED),
    ("operator", "operators' names", ("SELECT CASE WHEN substr(name, 1, 4) = ? THEN substr(name,"
     " 1, 13) ELSE ? END AS head, count(*) FROM operator WHERE length(name) > 0 GROUP BY 1"),
     _SEALED),
    ("act", "operators' acts", ("SELECT CASE WHEN substr(body, 1, 4) = ? THEN substr(body, 1, 13)"
     " ELSE ? END AS head, count(*) FROM act WHERE length(body) > 0 GROUP BY 1"), _SEALED),
    ("emergency", "emergencies", ("SELECT CASE WHEN substr(because, 1, 4) = ? THEN substr(because,"
     " 1, 13) ELSE ? END AS head, count(*) FROM emergency WHERE length(because) > 0 GROUP BY 1"),
     _SEALED),
    ("emergency", "findings on emergencies", ("SELECT CASE WHEN substr(finding, 1, 4) = ? THEN"
     " substr(finding, 1, 13) ELSE ? END AS head, count(*) FROM emergency"
     " WHERE length(finding) > 0 GROUP BY 1"), _SEALED),
    ("device", "renewal secrets", ("SELECT CASE WHEN substr(secret, 1, 4) = ? THEN substr(secret,"
     " 1, 13) ELSE ? END AS head, count(*) FROM device WHERE length(secret) > 0 GROUP BY 1"),
     _SEALED),
)  # fmt: skip

_WORDS: Final[tuple[tuple[str, str, LiteralString], ...]] = (
    ("device", "device certificates", ("SELECT substr(certificate, 1, 24), count(*) FROM device"
     " WHERE length(certificate) > 0 GROUP BY 1")),
    ("act", "operators' signatures", ("SELECT substr(jws, 1, 24), count(*) FROM act"
     " WHERE length(jws) > 0 GROUP BY 1")),
)  # fmt: skip

_COUNTED: Final[tuple[tuple[str, str, str, LiteralString], ...]] = (
    ("alias", "numbers in the index", "hmac-sha256", "SELECT count(*) FROM alias"),
    ("activation", "activation codes", "hmac-sha256", "SELECT count(*) FROM activation"),
    ("invitation", "invitations", "hmac-sha256", "SELECT count(*) FROM invitation"),
    ("device", "possession keys", "ecdsa-p256-sha256", "SELECT count(*) FROM device"),
    ("device", "consent keys", "ecdsa-p256-sha256", "SELECT count(*) FROM device"),
    ("passkey", "passkeys", "ecdsa-p256-sha256", "SELECT count(*) FROM passkey"),
    ("event", "entries of the log", "merkle-sha256", "SELECT count(*) FROM event"),
    ("checkpoint", "checkpoints", "ed25519",
     "SELECT count(*) FROM checkpoint WHERE length(note) < 4420"),
    ("checkpoint", "checkpoints", "ed25519-ml-dsa-65",
     "SELECT count(*) FROM checkpoint WHERE length(note) >= 4420"),
)  # fmt: skip
"""Forms that admit one mechanism only; the line of ML-DSA-65 alone has 4,420 characters."""

_WRAPPED: Final[tuple[tuple[str, str, LiteralString], ...]] = (
    ("customer", SUBJECT_KEYS, "SELECT subject FROM customer WHERE length(subject) > 0"),
    ("authenticator", "seeds", "SELECT seed FROM authenticator WHERE length(seed) > 0"),
    ("sim", SIM_KEYS, "SELECT packet_block FROM sim WHERE length(packet_block) > 0"),
    ("sim", SIM_KEYS, "SELECT order_block FROM sim WHERE length(order_block) > 0"),
)


_UNDER_SUBJECTS: Final[tuple[tuple[str, str, LiteralString], ...]] = (
    ("customer", "profiles", ("SELECT substr(profile, 1, 5) AS head, count(*) FROM customer"
     " WHERE length(subject) > 0 GROUP BY 1")),
    ("payment_order", "consents", ("SELECT substr(o.evidence, 1, 5) AS head, count(*)"
     " FROM payment_order o JOIN account_owner a ON a.account = o.payer JOIN customer c"
     " ON c.id = a.customer WHERE length(o.evidence) > 0 AND length(c.subject) > 0 GROUP BY 1")),
    ("approval", "approvals", ("SELECT substr(a.sealed, 1, 5) AS head, count(*) FROM approval a"
     " JOIN customer c ON c.id = a.payer WHERE length(a.sealed) > 0 AND length(c.subject) > 0"
     " GROUP BY 1")),
    ("approval_signature", "approvers' signatures", ("SELECT substr(s.jws, 1, 5) AS head, count(*)"
     " FROM approval_signature s JOIN approval a ON a.id = s.approval JOIN customer c"
     " ON c.id = a.payer WHERE length(s.jws) > 0 AND length(c.subject) > 0 GROUP BY 1")),
    ("recovery", "numbers of recoveries", ("SELECT substr(r.numbers, 1, 5) AS head, count(*)"
     " FROM recovery r JOIN customer c ON c.id = r.customer WHERE length(r.numbers) > 0"
     " AND length(c.subject) > 0 GROUP BY 1")),
)  # fmt: skip
"""What is sealed under a subject's key, where that was not destroyed: nobody opens the rest."""


class Group(Record, frozen=True, kw_only=True):
    """So many things of one kind with one head: octets, or the words that a text begins with.

    `mechanism` is set where the form admits one only.
    Source: ISO/TS 12812-2:2017, C
    """

    kind: str
    head: bytes
    count: int
    mechanism: str = ""


def stored_groups(reader: Connection) -> list[Group]:
    """Everything that is sealed, signed or hashed under a key in the store, in groups.

    Wrapped keys come one by one, each with its block as head.
    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    there = {shape.table for shape in reader.shapes()}
    found: list[Group] = []
    for table, kind, sql, magic in _COLUMNS:
        if table in there:
            rows = reader.rows(sql, (magic, b""))
            found += [Group(kind=kind, head=bytes(one[0]), count=int(one[1])) for one in rows]
    for table, kind, sql in _WORDS:
        if table in there:
            rows = reader.rows(sql)
            found += [
                Group(kind=kind, head=str(one[0]).encode(), count=int(one[1])) for one in rows
            ]
    for table, kind, name, sql in _COUNTED:
        row = reader.one(sql) if table in there else None
        if row is not None and row[0]:
            found.append(Group(kind=kind, head=b"", count=int(row[0]), mechanism=name))
    for table, kind, sql in _WRAPPED:
        if table in there:
            found += [Group(kind=kind, head=bytes(row[0]), count=1) for row in reader.stream(sql)]
    return found


def subject_groups(reader: Connection) -> list[Group]:
    """The keys of subjects by the first 12 octets, and what they seal by the first 5.

    What hangs on a key that was destroyed is not counted.
    Source: ISO/TS 12812-2:2017, 7.4.2; 14.2.1
    """
    there = {shape.table for shape in reader.shapes()}
    wrapped: LiteralString = (
        "SELECT substr(subject, 1, 12) AS head, count(*) FROM customer WHERE length(subject) > 0"
        " GROUP BY 1"
    )
    asked: list[tuple[str, str, LiteralString]] = [
        ("customer", SUBJECT_KEYS, wrapped),
        *_UNDER_SUBJECTS,
    ]
    return [
        Group(kind=kind, head=bytes(row[0]), count=int(row[1]))
        for table, kind, sql in asked
        if table in there
        for row in reader.rows(sql)
    ]
