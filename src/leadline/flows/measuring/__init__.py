"""What a benchmark is made of: photos, the process that runs one variant, figures."""
