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
    probing   all of them in one registry, run in a safe order
    bundling  the basis and the proofs of a bundle, out of the record

Source: ISO/TS 12812-2:2017, 9.1
"""
