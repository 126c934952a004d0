"""Tiers of customers: how well somebody is identified, and so how much they may pay and keep.

    ground seen (papers, a contract, a doubt) -> two people -> another tier -> told to the customer

Limits follow with the next order. A balance over the new ceiling stays its owner's: it may be paid
out, and nothing comes in before it is below the ceiling again.

Source: ISO/TS 12812-2:2017, 7.4.1; 13.2; 13.3
"""

from tallystick.application.tiers.service import TierActs

__all__ = ["TierActs"]
