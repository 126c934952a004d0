"""What is durable: one SQLite file, one writer, batches that commit as a whole.

    database     open the file, read, write; one writer process, any number of readers
    migrations   numbered changes of the schema, each in one commit, forward only
    tables       rows by table, written with one statement a table whatever the batch's size
    commit       begin, write, commit; and the thread on which a commit waits for the disk
    rowcache     rows that the writer keeps in memory

The store knows no capability's tables: each brings its own `Table` and `Migration`.

Source: ISO/TS 12812-2:2017, 6.2.3
"""
