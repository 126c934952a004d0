"""Yearly loss by simulation, the same bytes on every machine.

    draws       raw words of a counter-based generator, and inverse distribution functions on them
    scenarios   who attacks what, how hard it is, what it yields and what bounds it
    simulating  years of attempts, successes and losses
    report      the curve, what each control saves, which input matters; read `loss_report` first

Source: ISO/TS 12812-2:2017, A
"""
