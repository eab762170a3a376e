"""The public prices of an exchange; nothing here can trade."""
