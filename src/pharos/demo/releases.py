"""Differences of the LMS stand-in from release to release (spec 07 §0.2, §1.9, §3.6)."""

from __future__ import annotations

from enum import StrEnum


class Release(StrEnum):
    """A release of the LMS; it represents all releases that sign people in and store roles alike."""

    OLIVE = "olive"  # and older
    ULMO = "ulmo"  # Palm and newer
    VERAWOOD = "verawood"  # the newest
    WILLOW = "willow"  # to come

    @property
    def signs_for_everybody(self) -> bool:
        """True if `asymmetric_jwt` makes the LMS sign with its RSA key; older releases ignore the field."""
        return self is not Release.OLIVE

    @property
    def keeps_roles_in_authz(self) -> bool:
        """True if course teams are in the tables of openedx-authz instead of `student_courseaccessrole`."""
        return self is Release.WILLOW


NEWEST = Release.VERAWOOD
