"""What the services say of themselves: log lines and metrics. Holds no name, token or id of a person."""
