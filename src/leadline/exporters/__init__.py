"""What a prediction becomes on disk, one file each."""
