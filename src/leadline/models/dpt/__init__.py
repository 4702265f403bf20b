"""DPT: dense prediction transformers."""
