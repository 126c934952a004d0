"""What is durable: one writer, batches that commit as a whole, on one of two engines.

    table        what a table holds, and how its rows are written and read
    database     what a store is to whoever uses it: rows, batches, the fence
    opening      open a store by its place: a file (sqlite/) or a server (postgres/)
    migrations   numbered changes of the schema, each in one commit, forward only
    changes      a batch's rows by table, written with one statement a table whatever its size
    commit       begin, write, commit; and the thread on which a commit waits for the disk
    rowcache     rows that the writer keeps in memory
    boots        the number and name of each start, which every batch is fenced by
    copying      from one store to another, with digests that prove it

The store knows no capability's tables: each brings its own `Table` and `Migration`.

Source: ISO/TS 12812-2:2017, 6.2.3
"""
