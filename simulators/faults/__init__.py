"""A provider under every fault that can be thought of, in one process, from one seed.

    agenda     simulated time: what happens next, and clocks that may jump
    store      the store at its interface: commits, crashes, lost connections, a second writer
    process    the writer process: real platform, real writer loop, on simulated time
    network    messages that are lost, doubled, late, overtaken
    people     who pays, asks again, reads balances; what each was told
    core       the link to a hostile core system
    trouble    the faults, drawn from the seed
    checker    what must hold in the end, and what was not so
    bugs       mistakes that are planted to see that the checker finds them
    world      all of it together

The commands, decisions, postings, tally and receipts are the product's own; simulated are time,
network, the store's failures and the people. `python -m simulators.faults --help`.

Source: ISO/TS 12812-2:2017, 7.3.3; 6.2.3
"""
