"""SIMs that sign: provisioned with keys of their own, bound to a customer, void after a change.

    stocked --activation code--> bound --another SIM, or the network's word--> void

Each SIM has two keys as key blocks: one for packets, one for what its holder agrees to. The count
of its packets only rises, in the commit that takes a packet over.

Source: ISO/TS 12812-2:2017, 7.2.4; 7.3.3; 7.4.2; 7.4.5
"""

from tallystick.application.sims.model import SimState
from tallystick.application.sims.service import Sims

__all__ = ["SimState", "Sims"]
