"""How each figure comes about, term by term."""
