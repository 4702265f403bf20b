"""TIPSv2-DPT."""
