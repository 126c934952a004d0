"""Three machines of a database cluster on one: network, etcd, Patroni, PostgreSQL, their faults.

Source: PostgreSQL 15, 27
"""
