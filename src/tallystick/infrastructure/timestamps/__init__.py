"""Time stamps of an authority: asked for, reduced to what counts, and verified with a pinned root.

    request    what is asked: a digest, a nonce, perhaps a policy
    response   what comes back: a status, and a signed statement with certificates
    statement  what the authority states: policy, digest, serial number, instant
    verify     whether it holds, and the form in which it is kept
    clocks     whether the clock is known to be right: without that, nothing is stamped
    asked      what somebody asks of our authority
    authority  our authority: it answers with a stamp or with the reason why there is none
    chain      stamps over stamps, so that what is kept outlives certificates and hashes

Source: RFC 3161; RFC 5652, 5; RFC 5816; RFC 4998; ISO/IEC 18014-2
"""

from tallystick.infrastructure.timestamps.request import Query
from tallystick.infrastructure.timestamps.verify import Stamped, kept_form, verify_stamp

__all__ = ["Query", "Stamped", "kept_form", "verify_stamp"]
