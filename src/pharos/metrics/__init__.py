"""One module per subject: pure functions from tables to tables; no I/O, no engine, no clock."""
