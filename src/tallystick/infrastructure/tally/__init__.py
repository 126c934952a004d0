"""The tally: a log that grows and whose past nobody, its owner included, can change unseen.

The writer appends the events of a batch to a Merkle tree, commits them with the money that they
speak of, and signs one checkpoint over the whole. From that: a receipt (event, inclusion proof,
checkpoint) that a customer verifies offline; an audit that names each edited, lost, added or moved
row; and a witness that countersigns only a log that continues what it saw before.

    merkle, tiles      the tree: batches, frontiers, proofs
    leaf               events whose personal fields are commitments
    checkpoint         signed notes and cosignatures
    log                the writer's side
    store, archive     where it is kept, and receipts old and new
    verify             the reader's side; pure, part of the client
    findings, explain, anchors, projections, audit
                       the whole log against itself, its anchors and rows of state
    balances           accounts against their transfers
    witness, witness_files
                       the third party's side

Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9162; C2SP tlog-checkpoint
"""
