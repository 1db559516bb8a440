"""The graph of facts and metrics, what of it is stale, and running it."""
