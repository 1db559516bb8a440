"""One module per subject: fetch, reshape, hand to a template. No HTML here."""

from pharos.insights import addresses

__all__ = ["addresses"]  # imported first: the routes of the pages are written with its pattern
