"""Learners of enterprise customers."""

from __future__ import annotations

from sqlalchemy import Date, DateTime, Integer, String

from pharos.result_store.column_types import Exact
from pharos.result_store.tables.base import Definition, column, result

enterprise_user = result(
    "enterprise_user",
    Definition(
        title="Enterprise learners",
        version=1,
        meaning="The learners linked to each enterprise customer.",
        formula="Linked rows of the LMS table enterprise_enterprisecustomeruser, with their accounts.",
        edge_cases=("Accounts without a profile are missing.",),
        source="LMS tables of enterprises and accounts; activity by day.",
        spec="04 §5.1",
        persons="user_username",
    ),
    column("enterprise_id", Exact(32), "Customer, UUID without dashes.", nullable=False),
    column("lms_user_id", Integer(), "Number of the learner in the LMS.", nullable=False),
    column("enterprise_user_id", Integer(), "Number of the link.", nullable=False),
    column("enterprise_sso_uid", Exact(255), "Id at the customer's sign-in."),
    column("user_account_creation_timestamp", DateTime(), "When the account was made, UTC."),
    column("user_email", Exact(255), "E-mail address."),
    column("user_username", Exact(255), "Learner."),
    column("user_country_code", String(2), "Country of the profile."),
    column("last_activity_date", Date(), "Last UTC day with activity."),
    key=("enterprise_user_id",),
    indexes=(("enterprise_id",),),
)
