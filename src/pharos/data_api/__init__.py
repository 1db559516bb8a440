"""HTTP over the Result Store, with the original's URLs and shapes."""
