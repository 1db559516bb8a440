"""The contract (tables), connecting, migrating and atomic publishing."""
