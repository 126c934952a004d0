"""Proving a provider: probes of what is there, run against it, recorded in its log.

    looking   a probe out of a function, and what one may say
    site      what is looked at: a folder, a provider that was opened, a service that runs
    record    probes of the log, the books, consents, witness, backup
    still     probes of keys, files, clock, policy; `rows` of our own rows
    registers probes of registers, certificates, keys in use
    inward    probes of the module, the policy's gate and the PIN, in this process
    doors     probes through the service's doors, by nobody in particular
    customers, phone     whom the provider keeps to try itself, and that phone
    messages, phones     what an enrolled phone may send and order; it has no money
    consenting, enrolling    whose consent counts; a second phone that is enrolled and lost
    outside   which doors there are, and how much a stranger may ask
    models, objectives       programme, analysis and metrics
    deciding  what the policy in force decides
    books, people, fields    the ledger, customers and telephones, what messages may carry
    handling, builds         keys; what runs against what was tested
    probing   all of them in one registry, run in a safe order
    bundling  the basis and the proofs of a bundle, out of the record

Source: ISO/TS 12812-2:2017, 9.1
"""
