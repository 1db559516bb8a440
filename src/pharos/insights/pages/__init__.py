"""One module per subject: fetch, reshape, hand to a template. No HTML here."""
