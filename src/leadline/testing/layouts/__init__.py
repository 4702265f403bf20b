"""Small made-up datasets in exactly the public layouts, one module each: ``write(folder)`` gives place and options."""
