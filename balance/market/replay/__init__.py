"""Files of candles: read, checked and replayed."""
