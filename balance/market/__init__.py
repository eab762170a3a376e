"""Where prices come from: a simulated market, a replay of files, or an exchange."""
