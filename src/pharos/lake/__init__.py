"""Lines in, events out: discovery, parsing, ledger, quarantine, partitioned Parquet."""
