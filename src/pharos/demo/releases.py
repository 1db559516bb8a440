"""In what the LMS stand-in differs from release to release (spec 07 §0.2, §1.9, §3.6)."""

from __future__ import annotations

from enum import StrEnum


class Release(StrEnum):
    """A release of the LMS; each stands for those that sign people in and keep roles as it does."""

    OLIVE = "olive"  # and older
    ULMO = "ulmo"  # Palm and newer
    VERAWOOD = "verawood"  # the newest
    WILLOW = "willow"  # to come

    @property
    def signs_for_everybody(self) -> bool:
        """Whether `asymmetric_jwt` makes it sign with its RSA key; older ones ignore the field."""
        return self is not Release.OLIVE

    @property
    def keeps_roles_in_authz(self) -> bool:
        """Whether course teams are in the tables of openedx-authz instead of `student_courseaccessrole`."""
        return self is Release.WILLOW


NEWEST = Release.VERAWOOD
