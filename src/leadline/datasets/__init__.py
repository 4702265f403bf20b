"""RGB-D dataset layouts, one file each."""
