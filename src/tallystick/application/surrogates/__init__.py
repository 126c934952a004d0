"""Surrogates: what stands for a card's number, an account or a telephone number elsewhere.

    forms     what a value and its surrogate look like (pure)
    model     domains, their keys, what is held, warrants
    store     their rows
    service   every act, with its event; decides who may have a value back
    domains   what operators say of domains

A domain is one use of surrogates, apart from every other. Its surrogates are random, with the value
held sealed, or enciphered (FF1), with nothing held.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2; 14.2.2
"""

from tallystick.application.surrogates.service import Surrogates

__all__ = ["Surrogates"]
