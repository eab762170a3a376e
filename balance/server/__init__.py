"""What runs while the server does: the engine and what is put together around it."""
