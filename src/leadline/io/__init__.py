"""Files in and out: images, depth files, weights."""
