"""Growth: partitions of the ledger by the customer's home, simulated for balance and for cost.

assumptions   every figure that was not measured, with its date, for the reader to replace
figures       every figure that was measured, with the file that it stands in
model         orders and the messages between homes
store         the table of orders that a home keeps beside its ledger
partition     one home: real ledger, real store, outbox; read it first
network       what a message may suffer between homes
workload      who pays whom how much, from a seed
simulation    homes, clients, faults and time
checker       reads the files afterwards, and believes no home
measuring     what a step of a payment between homes costs, on this machine
homes         regions, gravity, and which customer lives in which partition
cost          peak load to cores, disk, network and money
"""
