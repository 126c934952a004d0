"""The HTTP door: operation table, lane, routes, problems, limits.

    lane (sealed operations) --\
                                front -> writer -> front -> reply
    routes (everything else) --/

Read `operations.py` first: it lists everything that can be asked.

Source: ISO/TS 12812-2:2017, 6.2.2; 7.2.3
"""
