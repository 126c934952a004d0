"""Two rehearsals of one act: what the later one tells otherwise.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
"""

from collections.abc import Iterator

from tallystick.protocol.desk import RehearsedAct


def differences(was: RehearsedAct, now: RehearsedAct) -> Iterator[tuple[str, str]]:
    """What is not so any more, and what is new, line by line; nothing for the same outcome.

    Of an act that could be done and cannot, or the other way round, that is all there is to say.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    before, after = _told(was), _told(now)
    if was.would != now.would:
        before, after = before[:1], after[:1]
    yield from (("is not so any more", one) for one in before if one not in after)
    yield from (("is new", one) for one in after if one not in before)


def _told(one: RehearsedAct) -> tuple[str, ...]:
    would = "it would be done" if one.would == "done" else "it cannot be done"
    return (f"{would}: {one.says}", *one.changes)
