"""Tells Tutor about Pharos: settings, what to render, what to run once. Loaded by Tutor, never by Pharos."""

from __future__ import annotations

from importlib.resources import files

from tutor import hooks

HERE = files("tutorpharos")
DEFAULTS = {
    # Built from a checkout of Pharos: docker build -t pharos:0.1.0 -f deploy/docker/Dockerfile .
    "PHAROS_DOCKER_IMAGE": "pharos:{{ PHAROS_VERSION }}",
    "PHAROS_VERSION": "0.1.0",
    "PHAROS_HOST": "insights.{{ LMS_HOST }}",
    "PHAROS_RUN_CRON": "15 2 * * *",  # the whole computation; what is new is taken over all day long
    "PHAROS_TIME_ZONE": "UTC",
    "PHAROS_MEMORY_MB": 1200,
    "PHAROS_MYSQL_DATABASE": "pharos",
    "PHAROS_MYSQL_USERNAME": "pharos",
    "PHAROS_LMS_MYSQL_USERNAME": "pharos_reader",
    "PHAROS_OAUTH2_CLIENT_ID": "pharos-insights",
    "PHAROS_SERVICE_OAUTH2_CLIENT_ID": "pharos-service",
    "PHAROS_K8S_DATA_SIZE": "20Gi",
    "PHAROS_K8S_LOGS_SIZE": "20Gi",
    # A storage class that offers ReadWriteMany: every pod of the LMS writes there. Empty: the default.
    "PHAROS_K8S_LOGS_STORAGE_CLASS": "",
}
# Drawn once and kept in Tutor's config.yml.
UNIQUE = {
    "PHAROS_INSIGHTS_SECRET_KEY": "{{ 50|random_string }}",
    "PHAROS_DATA_API_SECRET_KEY": "{{ 50|random_string }}",
    "PHAROS_DATA_API_TOKEN": "{{ 40|random_string }}",
    "PHAROS_OAUTH2_SECRET": "{{ 40|random_string }}",
    "PHAROS_SERVICE_OAUTH2_SECRET": "{{ 40|random_string }}",
    "PHAROS_MYSQL_PASSWORD": "{{ 24|random_string }}",
    "PHAROS_LMS_MYSQL_PASSWORD": "{{ 24|random_string }}",
}
INIT = ("mysql", "lms", "pharos")  # services, in order; the script of each is templates/pharos/init/<service>

hooks.Filters.CONFIG_DEFAULTS.add_items(list(DEFAULTS.items()))
hooks.Filters.CONFIG_UNIQUE.add_items(list(UNIQUE.items()))
hooks.Filters.IMAGES_PULL.add_item(("pharos", "{{ PHAROS_DOCKER_IMAGE }}"))
hooks.Filters.IMAGES_PUSH.add_item(("pharos", "{{ PHAROS_DOCKER_IMAGE }}"))
hooks.Filters.ENV_TEMPLATE_ROOTS.add_item(str(HERE / "templates"))
hooks.Filters.ENV_TEMPLATE_TARGETS.add_items([("pharos/apps", "plugins"), ("pharos/secrets", "plugins")])
# The tab of the instructor dashboard; `tutor mounts add …/openedx-instructor-tab` puts it into the image.
hooks.Filters.MOUNTED_DIRECTORIES.add_item(("openedx", "openedx-instructor-tab"))
for service in INIT:
    script = (HERE / "templates" / "pharos" / "init" / service).read_text(encoding="utf-8")
    hooks.Filters.CLI_DO_INIT_TASKS.add_item((service, script))
for patch in sorted((HERE / "patches").iterdir(), key=lambda path: path.name):
    hooks.Filters.ENV_PATCHES.add_item((patch.name, patch.read_text(encoding="utf-8")))
