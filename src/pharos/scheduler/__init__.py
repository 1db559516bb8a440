"""When to run: jobs by the clock, the live tail, and telling people when something is wrong."""
