"""One typed tree of settings: command line over environment over `pharos.yaml` over defaults.

Built once, in `cli.py`, by `load`; every package receives its own section. No other module reads the
environment. The description of a field is the text of its line in `pharos init` and in the documentation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from pharos.errors import ConfigurationError
from pharos.weeks import WeekStart

CONFIG_NAME = "pharos.yaml"
ENVIRONMENT_PREFIX = "PHAROS_"
DEFAULT_HOME = Path(".pharos")
Port = Annotated[int, Field(ge=0, le=65535)]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return pattern


def _is_cron(expression: str) -> str:
    try:
        CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"is no cron expression: {str(error).lower()}") from error
    return expression


def _is_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone of the IANA database") from error
    return name


def _is_link(address: str) -> str:
    if not re.match(r"(https?://[^\s/]|mailto:[^\s@]+@|/)\S*$", address):
        raise ValueError(f"{address!r} is no link: it begins with https://, http://, mailto: or /")
    return address


def _is_mail_address(text: str) -> str:
    if not re.fullmatch(r"[^\s@]+@[^\s@]+", text):
        raise ValueError(f"{text!r} is no e-mail address")
    return text


Pattern = Annotated[str, AfterValidator(_compiles)]
Link = Annotated[str, AfterValidator(_is_link)]
MailAddress = Annotated[str, AfterValidator(_is_mail_address)]
CronExpression = Annotated[str, AfterValidator(_is_cron)]
TimeZone = Annotated[str, AfterValidator(_is_time_zone)]
JobName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class Section(BaseModel):
    """A named part of the settings; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LogSource(Section):
    """The paths of the tracking logs of one origin."""

    paths: list[str] = Field(description="Files, folders (with all below), globs, s3:// or hdfs:// URLs.")
    pattern: Pattern = Field(
        default=r".*tracking\.log.*",
        description="Regular expression that the whole path of a file in a folder must match.",
    )
    since: date | None = Field(
        default=None, description="Skip files in folders whose name has an earlier date; others are all read."
    )


class Logs(Section):
    sources: dict[str, LogSource] = Field({}, description="Named log sources.")


class LMS(Section):
    url: str | None = Field(None, description="Address of the LMS as this server reaches it.")
    public_url: str | None = Field(None, description="Address of the LMS as browsers reach it; default: url.")
    studio_url: str | None = Field(None, description="Address of Studio as browsers reach it.")
    database: SecretStr | None = Field(
        None,
        description="LMS database, read only: mysql://user:password@host/openedx, postgresql://… or "
        "sqlite:///file.",
    )
    client_id: str | None = Field(
        None, description="OAuth2 client id of Pharos' service account (REST APIs)."
    )
    client_secret: SecretStr | None = Field(None, description="Its secret.")
    jwt_issuer: str | None = Field(
        None, description="Issuer (iss) of the LMS's JWTs; default: public_url + /oauth2."
    )
    jwt_audience: str = Field(
        "openedx",
        description="Audience (aud) of the LMS's JWTs: openedx with Tutor, change-me where nobody set it.",
    )
    jwt_keys: str | None = Field(
        None,
        description="Public keys of the LMS (JWT_PUBLIC_SIGNING_JWK_SET): a key set or PEM, a file, or an "
        "address. Default: none; an LMS publishes them nowhere.",
    )
    jwt_secret: SecretStr | None = Field(
        None, description="Secret of the LMS's JWTs (JWT_SECRET_KEY), if it signs with HS256 only."
    )
    timeout_s: float = Field(30, gt=0, description="Longest wait for one answer of the LMS, in seconds.")
    catalog_url: str | None = Field(
        None,
        description="Address of the discovery service's API (…/api/v1), for catalog titles and programs.",
    )
    catalog_partners: list[str] = Field(
        [], description="Short codes of the partners whose part of the catalog is read; default: all."
    )
    fill_enrollment_gaps: bool = Field(
        False, description="Count enrollments as the LMS has them where events are missing."
    )


class EngineSettings(Section):
    name: Literal["duckdb", "spark"] = Field("duckdb", description="What computes: duckdb or spark.")
    memory_mb: int = Field(1200, ge=256, description="Memory the embedded engine may use, in MB.")
    threads: int = Field(0, ge=0, description="Threads of the embedded engine; 0: one per processor.")
    spark_master: str = Field("local[*]", description="Spark master when not started by spark-submit.")
    spark_conf: dict[str, str] = Field({}, description="Further Spark settings.")


class Geolocation(Section):
    database: Path | None = Field(
        None, description="Country database (.mmdb) of any vendor; default: the one that comes with Pharos."
    )
    private_country: CountryCode | None = Field(
        None,
        description="Country (ISO 3166 alpha-2) of private addresses such as 10.0.0.1; default: unknown.",
    )
    address_retention_days: int | None = Field(
        None,
        ge=0,
        le=36_500,
        description="Days before today of which addresses are kept; of older ones only the country. "
        "Default: all are kept.",
    )


class Counting(Section):
    staff: bool = Field(
        True,
        description="Count staff like learners; if not, the LMS's staff and superusers count nowhere, course "
        "teams and beta testers not in their course runs.",
    )
    libraries: bool = Field(True, description="Count content libraries like course runs.")
    browser_enrollments: bool = Field(
        True,
        description="Count enrollment events that only browsers have sent, as the original does; the LMS "
        "writes its own on the server.",
    )
    week_start: WeekStart = Field(
        "monday",
        description="First day of the weeks that Insights shows. Other weeks than those from Monday are "
        "counted beside the original's.",
    )


class Problems(Section):
    response_types: list[str] = Field(
        [
            "choiceresponse",
            "optionresponse",
            "multiplechoiceresponse",
            "numericalresponse",
            "stringresponse",
            "formularesponse",
        ],
        description="Kinds of responses whose answers are counted in answer_distribution; others are in the "
        "report problem_response only.",
    )
    answer_metadata: Path | None = Field(
        None,
        description="JSON file that describes parts of problems by their ids, for events before March 2014: "
        "question, response_type, problem_display_name, answer_value_id_map.",
    )


class Video(Section):
    compat: bool = Field(
        False,
        description="Count videos by the original's rules to the letter, with what is known to be wrong in "
        "them, so that both can be compared.",
    )


class Pauses(Section):
    slowing_days: int = Field(
        7, ge=1, description="Days without activity after which a learner counts as slowing down."
    )
    quiet_days: int = Field(
        14, ge=2, description="Days without activity after which a learner counts as quiet."
    )


class Engagement(Pauses):
    courses: dict[str, Pauses] = Field(
        {}, description="The same days for single course runs, by course id: slowing_days, quiet_days."
    )
    smallest_group: int = Field(
        1,
        ge=1,
        description="Active learners of a week that a course run must have for low and high engagement to be "
        "told apart; with fewer, that of all is normal and nobody is highly engaged or struggling.",
    )


class Reports(Section):
    since: date = Field(date(2013, 5, 30), description="First UTC day of the report problem_response.")
    fields: list[str] = Field(
        [
            "username",
            "problem_id",
            "answer_id",
            "location",
            "question",
            "score",
            "max_score",
            "correct",
            "answer",
            "total_attempts",
            "first_attempt_date",
            "last_attempt_date",
        ],
        description="Columns of the report problem_response; there are also course_id, problem, sort_idx.",
    )
    time_format: str = Field(
        "%Y-%m-%dT%H:%M:%SZ", description="How the report writes moments (strftime, UTC)."
    )
    student_engagement: bool = Field(
        False,
        description="Fill the tables student_engagement_*, with what each learner did by day, by week and in "
        "all. The last two are written anew each day.",
    )
    list_delimiter: str = Field("|", description="Stands between the items of an answer in the report.")
    escape_formulas: bool = Field(
        False,
        description="Put an apostrophe before texts of reports that a spreadsheet would take for a formula.",
    )


class Privacy(Section):
    mode: Literal["full", "names", "pseudonymous"] = Field(
        "full",
        description="What leaves the Result Store of single learners. full: names, user names, addresses; "
        "names: no addresses; pseudonymous: a pseudonym in place of the user name, no names, no addresses.",
    )
    key: SecretStr | None = Field(
        None, description="Key of the pseudonyms; with another key a learner has another pseudonym."
    )
    organizations: list[str] = Field(
        [], description="Organisations whose learners may be shown; default: all."
    )
    hidden_organizations: list[str] = Field(
        [], description="Organisations whose learners are not shown, whatever privacy.organizations says."
    )

    def allows(self, organization: str | None) -> bool:
        """True if learners of the organisation's courses may be shown."""
        if organization in self.hidden_organizations:
            return False
        return not self.organizations or organization in self.organizations


class ResultStoreSettings(Section):
    url: SecretStr | None = Field(
        None,
        description="Its database: sqlite:///file, mysql://user:password@host/name or postgresql://…; "
        "default: result_store.sqlite in home.",
    )


class DataAPISettings(Section):
    host: str = Field("127.0.0.1", description="Address the Data API listens on.")
    port: Port = Field(8100, description="Port the Data API listens on.")
    shared_port: bool = Field(
        False, description="Several processes of one user may listen on the port; the system divides clients."
    )
    v1_url: SecretStr | None = Field(
        None, description="Result Store that /api/v1 reads, if not the one that /api/v0 reads."
    )
    public_url: str | None = Field(
        None,
        description="Address of the Data API as clients reach it, for links; default: that of the request.",
    )
    reports: str | None = Field(
        None, description="Folder of report files, or its s3:// address; default: reports in home."
    )
    report_names: list[str] = Field(["problem_response"], description="Reports that may be downloaded.")
    report_seconds: int = Field(120, gt=0, description="How long a link to a report works.")
    secret_key: SecretStr | None = Field(
        None,
        description="Key that signs links to reports; same on replicas. Default: a new one at each start.",
    )
    audit_log: Path | None = Field(
        None,
        description="File that says who read data of learners and who was refused; default: "
        "data_api_audit.jsonl in home.",
    )
    account_url: str | None = Field(
        None, description="Address in the LMS that, with a user name added, is the account of a learner."
    )
    learners: bool = Field(False, description="Serve data of single learners, to tokens that may read them.")
    requests_per_minute: int = Field(60, gt=0, description="Requests a person or an address may make.")
    token_requests_per_minute: int = Field(
        6000, gt=0, description="Requests a token may make, unless it has its own rate."
    )
    jwt_audience: str | None = Field(
        None, description="Audience (aud) a JWT must have to be accepted; default: any, as the original."
    )
    cors_origins: list[str] = Field([], description="Origins whose pages may ask the Data API.")


FURTHER_ADDRESS = r"^https?://[A-Za-z0-9.:\[\]-]+(/[^\s;,'\"]*)?$"
"""Of another site, safe inside a Content-Security-Policy."""


class InsightsSettings(Section):
    host: str = Field("127.0.0.1", description="Address Insights listens on.")
    port: Port = Field(8110, description="Port Insights listens on.")
    shared_port: bool = Field(False, description="As data_api.shared_port.")
    url: str = Field(
        "http://127.0.0.1:8110",
        description="Address of Insights as browsers reach it; it may have a path, like https://host/insights.",
    )
    plain_http: bool = Field(
        False,
        description="Serve other machines without TLS, though cookies can be read on the way: for trials.",
    )
    data_api_url: str = Field("http://127.0.0.1:8100", description="Address of the Data API.")
    data_api_token: SecretStr | None = Field(None, description="Token Insights shows to the Data API.")
    secret_key: SecretStr | None = Field(
        None, description="Key that signs session cookies; same on replicas."
    )
    client_id: str | None = Field(None, description="OAuth2 client id of Insights at the LMS (sign-in).")
    client_secret: SecretStr | None = Field(None, description="Its secret.")
    permissions_seconds: int = Field(60, gt=0, description="How long an LMS answer on course access counts.")
    requests_per_minute: int = Field(300, gt=0, description="Pages and files for one person.")
    audit_log: Path | None = Field(
        None,
        description="File that says who signed in, who was refused and who looked at learners; default: "
        "insights_audit.jsonl in home.",
    )
    show_age: bool = Field(True, description="Whether course teams may see the ages of learners.")
    minimum_cell: int = Field(
        0,
        ge=0,
        description="Ages, levels of education, genders, countries and languages of fewer learners "
        "than this are counted as not given.",
    )
    site_name: str | None = Field(None, description="Name of the site, instead of Pharos.")
    logo: Path | None = Field(None, description="Logo of the site, an .svg or .png file.")
    accent: str | None = Field(
        None,
        pattern=r"^#[0-9a-fA-F]{6}$",
        description="Accent colour, as #a8175f; one that cannot be read on white is refused.",
    )
    footer_links: dict[str, Link] = Field({}, description="Links at the foot of every page: name, address.")
    announcement: str | None = Field(None, description="Something to tell everybody, above every page.")
    usage_script: str | None = Field(
        None,
        pattern=FURTHER_ADDRESS,
        description="Address of a script that counts the use of Insights, run on every page.",
    )
    usage_pixel: str | None = Field(
        None,
        pattern=FURTHER_ADDRESS,
        description="Address of a picture that every page asks for, to count the use of Insights.",
    )
    support_email: MailAddress | None = Field(None, description="Where people who need help may write.")
    help_url: Link | None = Field(None, description="Address of a guide for course teams.")


class Job(Section):
    """A job that the scheduler runs on a schedule."""

    cron: CronExpression = Field(description="When: minute, hour, day of month, month, day of week.")
    run: Literal["run", "ingest", "import", "compute", "lake verify"] = Field(
        "run", description="Which verb of pharos."
    )
    arguments: list[str] = Field([], description="Further arguments of the verb, such as --full.")
    retries: int = Field(3, ge=0, description="How often it is tried again when it failed.")
    backoff_seconds: float = Field(
        60, ge=0, le=21600, description="Wait before the first retry; doubled before each further one."
    )
    longest_hours: float = Field(24, gt=0, description="It is ended, and has failed, when it takes longer.")


class SchedulerSettings(Section):
    jobs: dict[JobName, Job] = Field(
        {}, description="Named jobs: cron, run (run, ingest, import, compute, lake verify), retries, …"
    )
    time_zone: TimeZone = Field("UTC", description="Time zone of the cron expressions (IANA).")
    tail_seconds: float = Field(
        10, ge=0, description="How often pharos serve looks whether the logs grew; 0: never."
    )


class AlertSettings(Section):
    email_to: list[MailAddress] = Field([], description="Who is told by e-mail of failures and old results.")
    email_from: str = Field("pharos@localhost", description="Sender of these e-mails.")
    smtp: SecretStr = Field(
        SecretStr("smtp://localhost"),
        description="Mail server: smtp://user:password@host:587 (encrypted if it can be) or smtps://….",
    )
    webhook: SecretStr | None = Field(None, description="Address that alerts are posted to as JSON.")
    stale_hours: float | None = Field(
        None, gt=0, description="Tell when the results describe a time longer ago than this; default: never."
    )
    silent_hours: float | None = Field(
        48, gt=0, description="Tell when the newest event of a log source is older than this; null: never."
    )


class LoggingSettings(Section):
    format: Literal["text", "json"] = Field(
        "text", description="Log lines: text, or json with a line for each request to a service too."
    )


class Settings(BaseSettings):
    """The whole tree."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__"
    )

    home: Path = Field(
        DEFAULT_HOME, description="Folder of the lake, the default Result Store and the run state."
    )
    lake_url: str | None = Field(
        None, description="Where the lake lies: s3://bucket/folder; default: the folder lake in home."
    )
    logs: Logs = Logs()
    lms: LMS = LMS()
    engine: EngineSettings = EngineSettings()
    geolocation: Geolocation = Geolocation()
    counting: Counting = Counting()
    problems: Problems = Problems()
    video: Video = Video()
    engagement: Engagement = Engagement()
    reports: Reports = Reports()
    privacy: Privacy = Privacy()
    result_store: ResultStoreSettings = ResultStoreSettings()
    data_api: DataAPISettings = DataAPISettings()
    insights: InsightsSettings = InsightsSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    alerts: AlertSettings = AlertSettings()
    logging: LoggingSettings = LoggingSettings()

    def shows_learners_of(self, organization: str | None) -> bool:
        """True if single learners of the organisation's courses are shown."""
        return self.data_api.learners and self.privacy.allows(organization)

    @property
    def lake(self) -> Path:
        """The local folder for data derived from the lake; by default also for the lake itself."""
        return self.home / "lake"

    @property
    def lake_address(self) -> str:
        """The lake's place: a URL, or a folder of this machine."""
        return self.lake_url or str(self.lake)

    @property
    def store_url(self) -> str:
        """SQLAlchemy URL of the Result Store."""
        if self.result_store.url is not None:
            return self.result_store.url.get_secret_value()
        path = str(self.home / "result_store.sqlite")
        return f"sqlite:///{path.replace('%', '%25').replace('?', '%3F')}"  # both mean something there

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only the values that `load` has merged: `Settings()` itself must not read the environment."""
        return (init_settings,)


def load(home: Path | None = None, config: Path | None = None, **overrides: Mapping[str, Any]) -> Settings:
    """The settings in force.

    `overrides` are values by section, from the command line; None means "not given". Without `config`, the
    file `pharos.yaml` in home is read if it exists. Raises ConfigurationError, with a line per mistake.
    """
    given: dict[str, Any] = {
        section: {name: value for name, value in values.items() if value is not None}
        for section, values in overrides.items()
    }
    if home is not None:
        given["home"] = home
    path = file_of(home, config)
    mistakes = _unknown_environment()
    try:
        values = _merged(_file(path), EnvSettingsSource(Settings)(), given)
        settings = Settings(**values)
    except ValidationError as error:
        known = {name.upper() for name in os.environ}  # a name that is wrong there was reported already
        mistakes += [_mistake(item, path) for item in error.errors() if _variable(item) not in known]
    except SettingsError as error:
        mistakes.append(f"environment: {error}")
    if mistakes:
        raise ConfigurationError(*mistakes)
    return settings


def template() -> str:
    """The text of a `pharos.yaml` in which every setting is present, explained and commented out."""
    lines = [
        "# Settings of Pharos. Each line shows a default; take the # away to change it.",
        "# Every setting is also an environment variable: PHAROS_SECTION__KEY.",
        "",
    ]
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, Section):
            lines.append(f"# {name}:")
            lines += [f"#   {line}" for line in _described(type(field.default))]
        else:
            lines += [f"# {field.description}", f"# {name}: {_text(field.default)}"]
        lines.append("")
    return "\n".join(lines)


def described() -> list[tuple[str, str, str]]:
    """(dotted key, default, meaning) of every setting, in the order of the tree; for the documentation."""
    rows = []
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, Section):
            rows += [
                (f"{name}.{key}", _text(inner.default), inner.description or "")
                for key, inner in type(field.default).model_fields.items()
            ]
        else:
            rows.append((name, _text(field.default), field.description or ""))
    return rows


def _described(section: type[Section]) -> list[str]:
    lines = []
    for key, field in section.model_fields.items():
        lines += [f"# {field.description}", f"{key}: {_text(field.default)}"]
    if section is Logs:
        lines += ["#   lms:", "#     paths: [/path/to/tracking/logs]"]
    if section is SchedulerSettings:
        lines += ["#   daily: {cron: '30 2 * * *', run: run}   # a value of jobs"]
    return lines


def _text(default: object) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()  # a default is in the source: no secret
    if isinstance(default, str) and default[:1] in ("%", "|"):
        return f"'{default}'"  # they mean something in YAML
    return "" if default is None else str(default)


def file_of(home: Path | None = None, config: Path | None = None) -> Path | None:
    """The settings file that `load` reads; None if there is none."""
    if config is not None:
        return config
    folder = home or Path(os.environ.get(f"{ENVIRONMENT_PREFIX}HOME", DEFAULT_HOME))
    path = folder / CONFIG_NAME
    return path if path.is_file() else None


def _file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not UTF-8 text") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path}: expected `section:` lines, found {type(values).__name__}")
    # A section all of whose lines are still commented out is null for YAML.
    return {
        str(key): value
        for key, value in values.items()
        if value is not None or key not in Settings.model_fields
    }


def secrets_in(path: Path | None) -> list[str]:
    """Dotted keys of the secrets that a settings file holds. Raises ConfigurationError."""
    values = _file(path)
    return [
        f"{name}.{key}"
        for name, field in Settings.model_fields.items()
        if isinstance(field.default, Section) and isinstance(values.get(name), dict)
        for key, inner in type(field.default).model_fields.items()
        if "SecretStr" in str(inner.annotation) and values[name].get(key) is not None
    ]


def _merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """The layers merged; later layers override earlier ones."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = merged.get(key)
            merged[key] = (
                _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
            )
    return merged


def _unknown_environment() -> list[str]:
    """A line for each environment variable with our prefix that names no section or key."""
    known = {f"{ENVIRONMENT_PREFIX}{key.replace('.', '__')}".upper() for key, _, _ in described()}
    return [
        f"{name}: no such setting (environment)"
        for name in sorted(os.environ)
        if name.startswith(ENVIRONMENT_PREFIX)
        and not any(name.upper() == key or name.upper().startswith(f"{key}__") for key in known)
    ]


def _mistake(item: Any, path: Path | None) -> str:
    key = ".".join(str(part) for part in item["loc"])
    message = "no such setting" if item["type"] == "extra_forbidden" else item["msg"]
    message = message.removeprefix("Value error, ")
    return f"{key}: {message}" + (f" (see {path})" if path is not None else "")


def _variable(item: Any) -> str | None:
    """The environment variable's name of an unknown setting."""
    if item["type"] != "extra_forbidden":
        return None
    return f"{ENVIRONMENT_PREFIX}{'__'.join(map(str, item['loc']))}".upper()
