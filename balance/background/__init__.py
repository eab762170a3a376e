"""Work that goes on in threads of its own."""
