"""Logs and metrics of the services. They hold no name, token or id of a person."""
