"""The cheapest set of controls that is enough, exactly, and why it is that one.

    problem     the choice as numbers: paths with what is missing, controls with what they give
    solving     one integer programme, by HiGHS
    choosing    rounds: solve, look through whole trees for what still falls below, add it, again
    explain     what falls without a chosen control; what stands in for a rejected one
    robustness  which choices stay when every rating moves one word
    pareto      cost against friction

Source: ISO/TS 12812-2:2017, 6.1; A
"""
