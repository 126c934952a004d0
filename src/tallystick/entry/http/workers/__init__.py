"""Several fronts before one writer: how a provider uses more than one core.

    phones ==> front 1..N (own processes, one port): open, verify, seal
                 | frames over a socket pair             | other requests, byte by byte
                 v                                       v
               writer process: state, decisions, tally, store; every other door

A front knows the keys of the sessions that it serves and the quote key, nothing else: it can
neither sign a checkpoint nor move money. The writer decides on what a front verified, and refuses
whatever is stale. `frames` is the language between them, `process` the front, `desk` the writer's
side, `relay` the way of all other requests.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.4.2
"""
