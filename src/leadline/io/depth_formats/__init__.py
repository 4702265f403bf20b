"""One file a depth format: stored numbers and the record, to bytes and back."""
