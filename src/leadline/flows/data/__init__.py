"""What is done with data: opening, looking, doctoring, converting."""
