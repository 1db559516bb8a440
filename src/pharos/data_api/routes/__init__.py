"""One module per subject; each holds a `subject` with its endpoints."""
