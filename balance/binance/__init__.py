"""The dialect of Binance's USD-M futures, for programs that know only an exchange."""
